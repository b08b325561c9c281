import type { Change } from '../../model/api/changes';
import type { Caller } from '../../store/api-keys';
import { findLink } from '../../store/people/one-time-links';
import { grantChange, grantedChange } from '../../store/sessions';
import { HttpProblem } from '../http/problem';
import { countAttempts } from './attempts';
import { cookieOf, setCookie } from './browser-request';
import { pageApi } from './call';
import { textsOf } from './languages';
import { type ConsolePage, type PageAnswer, redirect, type Visit } from './pages';
import { type PasswordForm, passwordFormPages } from './password-form';
import { type Followed, progressPages } from './progress';
import { personProblem } from './refusals';

/**
 * The pages on which a person changes the password with the current one. They act with the API key of
 * LOCKSTEP_CONSOLE_KEY_FILE, which has the scopes `change-own` and `read`: without the current password it changes
 * nothing.
 */
export function personPages(consoleKey: () => string | null): readonly ConsolePage[] {
  const openForm = async (visit: Visit): Promise<PasswordForm> => {
    const key = consoleKey();
    if (key === null) throw new HttpProblem('not_found');
    const caller = await visit.deps.authorize([`Bearer ${key}`], 'change-own');
    return {
      api: pageApi(visit.deps, caller, visit.gone),
      known: null,
      frame: { action: '/password', why: null },
      accepted: (change) => letFollow(visit, change),
    };
  };
  const failed: ConsolePage['failed'] = (visit, problem) =>
    consoleKey() === null
      ? personProblem(visit, problem, textsOf(visit).change.closed)
      : personProblem(visit, problem);
  return [
    ...passwordFormPages('/password', countAttempts(), openForm).map((page) => ({
      ...page,
      failed,
    })),
    ...progressPages('/password/changes', granted).map((page) => ({
      ...page,
      failed: personProblem,
    })),
    {
      method: 'get',
      path: '/.well-known/change-password',
      handle: async () => redirect('/password'),
      failed,
    },
  ];
}

/** The form for a person who has a one-time link. */
export const NEW_PASSWORD = '/password/new';

/** Lets this browser follow the change, and leads to its page. */
export async function letFollow(visit: Visit, { id }: Change): Promise<PageAnswer> {
  const { deps, request } = visit;
  const cookie = setCookie(request, deps.settings, 'change', await grantChange(deps.db, id));
  return redirect(`/password/changes/${id}?lang=${textsOf(visit).lang}`, { 'set-cookie': cookie });
}

/** Reads the change that a cookie is for. The cookie is the permission, so the reader needs no key. */
const reader: Caller = {
  keyId: 'console',
  name: 'console',
  scopes: ['read'],
  ...{ groups: null, source: null, identityId: null, secretHash: null },
};

/** The change of the address, if the cookie of this browser is for it. */
async function granted({ deps, request, gone }: Visit): Promise<Followed> {
  const token = cookieOf(request, deps.settings, 'change');
  const id = token === null ? null : await grantedChange(deps.db, token);
  if (id === null || id !== request.params.id) throw new HttpProblem('not_found');
  const api = pageApi(deps, reader, gone);
  const read = () => api.get<Change>('/v1/changes/{id}', { params: { id } });
  const code = cookieOf(request, deps.settings, 'link');
  const isLinkOpen = code !== null && (await findLink(deps.db, code)) !== null;
  return {
    id,
    read,
    again: isLinkOpen ? NEW_PASSWORD : '/password',
    isSignedIn: false,
    sessionId: null,
  };
}
