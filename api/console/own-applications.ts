import type { ApplicationDone, ApplicationProblem } from '../../console/person/application-words';
import { APPLICATIONS, applicationsPage } from '../../console/person/applications-page';
import { credentialPage } from '../../console/person/credential-page';
import type { OwnApplication, OwnApplications } from '../../model/api/own-applications';
import type { ErrorCode } from '../../model/errors';
import { asHttpProblem, HttpProblem } from '../http/problem';
import { assets } from './assets';
import { type PageApi, pageApi, queryOf } from './call';
import { readForm } from './form';
import { textsOf } from './languages';
import { signInFor } from './me';
import { type ConsolePage, type PageAnswer, redirect, type Visit } from './pages';
import { personProblem } from './refusals';
import { sessionOf } from './session';

const ONE = `${APPLICATIONS}/:id`;

/** The pages of a person about the applications for which a credential is stored. */
export const ownApplicationPages = (): readonly ConsolePage[] => {
  const pages: readonly Omit<ConsolePage, 'failed'>[] = [
    { method: 'get', path: APPLICATIONS, handle: withSession(list) },
    { method: 'get', path: ONE, handle: withSession(show) },
    { method: 'post', path: ONE, handle: withSession(store) },
    ...(['enable', 'disable'] as const).map((verb) => ({
      ...{ method: 'post' as const, path: `${ONE}/${verb}`, home: APPLICATIONS },
      handle: withSession(switchTo(verb)),
    })),
  ];
  return pages.map((page) => ({ ...page, failed: personProblem }));
};

type Handle = (visit: Visit, api: PageApi) => Promise<PageAnswer>;

const withSession = (handle: Handle) => async (visit: Visit) => {
  const session = await sessionOf(visit, 'me');
  if (session === null) return signInFor(visit, pageOfForm(visit));
  return handle(visit, pageApi(visit.deps, session.caller, visit.gone));
};

/** The page to which the sign-in leads: the one with the form, also when that came too late. */
const pageOfForm = ({ request }: Visit): string =>
  /^\/me\/applications\/[^/]+$/.test(request.path) ? request.path : APPLICATIONS;

const read = (api: PageApi): Promise<OwnApplications> =>
  api.get<OwnApplications>('/v1/me/applications');

const list: Handle = async (visit, api) => {
  const { applications } = await read(api);
  const { done = '' } = queryOf(visit.request);
  const known = (['stored', 'on', 'off'] as const).find((one) => one === done) ?? null;
  return { status: 200, html: applicationsPage(textsOf(visit), assets, applications, known) };
};

const back = (visit: Visit, done: ApplicationDone): PageAnswer =>
  redirect(`${APPLICATIONS}?${new URLSearchParams({ lang: textsOf(visit).lang, done })}`);

const switchTo =
  (verb: 'enable' | 'disable'): Handle =>
  async (visit, api) => {
    const params = { id: String(visit.request.params.id) };
    await api.answer('post', `/v1/me/applications/{id}/${verb}`, { params });
    return back(visit, verb === 'enable' ? 'on' : 'off');
  };

/** The application of the address, with the name of the person. @throws HttpProblem `not_found` for any other */
async function named(visit: Visit, api: PageApi) {
  const { name, applications } = await read(api);
  const application = applications.find(({ id }) => id === visit.request.params.id);
  if (application === undefined || !application.maySet) throw new HttpProblem('not_found');
  return { name, application };
}

const form = (
  visit: Visit,
  application: OwnApplication,
  status: number,
  problem: ApplicationProblem | null,
): PageAnswer => ({
  status,
  html: credentialPage(textsOf(visit), assets, application, problem),
});

const show: Handle = async (visit, api) =>
  form(visit, (await named(visit, api)).application, 200, null);

/** Has a worker verify and store the password. A refusal shows the form again, without the password. */
const store: Handle = async (visit, api) => {
  const sent = await readForm(visit.request, ['password']);
  try {
    const { name: identity, application: shown } = await named(visit, api);
    const password = sent.secret('password');
    if (password === null) return form(visit, shown, 422, 'missing');
    const { application, account } = shown;
    const body = { identity, application, account: account ?? undefined, password };
    try {
      await api.answer('post', '/v1/mappings/set-credentials', { body });
      return back(visit, 'stored');
    } catch (error) {
      const { code } = asHttpProblem(error);
      const problem = problems[code];
      if (problem === undefined) throw error;
      return form(visit, shown, problem === 'wait' ? 429 : 422, problem);
    }
  } finally {
    sent.destroy();
  }
};

const problems: Partial<Record<ErrorCode, ApplicationProblem>> = {
  credential_wrong: 'wrong',
  sign_in_closed: 'wait',
  credential_outdated: 'changing',
  credential_not_verified: 'notChecked',
  no_epoch: 'notChecked',
  forbidden: 'notAllowed',
};
