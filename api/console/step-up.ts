import { HttpProblem } from '../http/problem';
import type { Route } from '../http/route';
import type { PageApi } from './call';

/** What a session may order only within minutes after its user has signed in. */
export const needRecentSignIn: readonly (readonly [Route['method'], string])[] = [
  ['post', '/v1/configuration/apply'],
  // It sends a secret of the worker to an address that the user names.
  ['post', '/v1/sources/check'],
  ['post', '/v1/keys'],
  ['post', '/v1/keys/{id}/rotate'],
  ['delete', '/v1/keys/{id}'],
  ['post', '/v1/identities/{name}/one-time-link'],
];

/** The API for the pages of a session. @throws HttpProblem `sign_in_again` for what needs a recent sign-in */
export const withStepUp = (api: PageApi, isRecent: boolean): PageApi => ({
  ...api,
  answer: async (method, path, request) => {
    const isSensitive = needRecentSignIn.some(([one, at]) => one === method && at === path);
    if (isSensitive && !isRecent) throw new HttpProblem('sign_in_again');
    return api.answer(method, path, request);
  },
});
