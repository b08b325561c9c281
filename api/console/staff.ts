import type { Desk } from '../../console/desk/shell';
import { problemPage, signInPage } from '../../console/desk/shell';
import type { Right } from '../../model/api/scopes';
import { errors } from '../../model/errors';
import { callerOf } from '../../store/api-keys';
import { callerOfSession, endSession, startSession } from '../../store/sessions';
import { actorOf } from '../http/actor';
import { detailOf, HttpProblem } from '../http/problem';
import { assets } from './assets';
import { countAttempts } from './attempts';
import { cookieOf, setCookie } from './browser-request';
import { type PageApi, pageApi, queryOf } from './call';
import { type Form, readForm } from './form';
import { type ConsolePage, type PageAnswer, redirect, type Visit } from './pages';

/** What a page of the staff gets: the API with the rights of the session, the frame of the page, and the form. */
export interface StaffVisit {
  readonly visit: Visit;
  readonly api: PageApi;
  readonly desk: Desk;
  readonly query: Readonly<Record<string, string>>;
  /** A parameter of the path. */
  readonly param: (name: string) => string;
  /** The text of a field of the form; empty on a page without one. */
  readonly field: (name: string) => string;
}

const SIGN_IN = '/console/sign-in';

/** A page for staff. Without a session it leads to the sign-in. */
export function staffPage(
  method: ConsolePage['method'],
  path: string,
  show: (staff: StaffVisit) => Promise<PageAnswer>,
): ConsolePage {
  return {
    method,
    path,
    handle: async (visit) => {
      const session = await sessionOf(visit);
      if (session === null) return redirect(SIGN_IN);
      const form = method === 'post' ? await readForm(visit.request, []) : null;
      const api = pageApi(visit.deps, session.caller, visit.gone);
      return show(staffVisit(visit, api, form));
    },
    failed: (_visit, problem) => {
      const desk: Desk = { assets, name: '', links: [], now: new Date(), done: '' };
      const said = problem.details.issues?.map(({ path: at, says }) => `${at.join('.')} ${says}`);
      const html = problemPage(desk, [detailOf(problem), ...(said ?? [])].join(' '));
      return { status: errors[problem.code].status, html };
    },
  };
}

function staffVisit(visit: Visit, api: PageApi, form: Form | null): StaffVisit {
  const query = queryOf(visit.request);
  const { done = '', ...rest } = query;
  const links = linkTable.filter(({ right }) => api.may(right));
  return {
    visit,
    api,
    query: rest,
    desk: { assets, name: api.caller.name, links, now: new Date(), done: sentences[done] ?? '' },
    param: (name) => String(visit.request.params[name] ?? ''),
    field: (name) => form?.text(name) ?? '',
  };
}

/** What a page says after a command. The address holds the name only, so that a link cannot put words on the page. */
const sentences: Readonly<Record<string, string>> = {
  ordered: 'Ordered. A worker carries it out in a moment.',
  pause: 'The source is paused.',
  resume: 'The source is resumed.',
  applied: 'The configuration is in force.',
  ended: 'The session has ended.',
  'mapping-enable': 'The mapping is enabled. The next change of its account stores the credential.',
  'mapping-disable': 'The mapping is disabled.',
  'mapping-delete': 'The mapping is deleted with its credential.',
};

const linkTable: readonly { href: string; title: string; right: Right }[] = [
  { href: '/console', title: 'Now', right: 'read' },
  { href: '/console/changes', title: 'Changes', right: 'read' },
  { href: '/console/people', title: 'People', right: 'read-people' },
  { href: '/console/stale', title: 'Stale', right: 'read' },
  { href: '/console/relays', title: 'Relays', right: 'read' },
  { href: '/console/applications', title: 'Applications', right: 'read-people' },
  { href: '/console/settings', title: 'Configuration', right: 'configure' },
  { href: '/console/graph', title: 'Graph', right: 'administer' },
  { href: '/console/keys', title: 'Keys', right: 'administer' },
  { href: '/console/audit', title: 'Audit', right: 'read-audit' },
];

function sessionOf({ deps, request }: Visit) {
  const token = cookieOf(request, deps.settings, 'session');
  const isVisit = request.headers['x-lockstep-live'] === undefined;
  return token === null ? Promise.resolve(null) : callerOfSession(deps.db, token, isVisit);
}

/** Sign-in with an API key, and sign-out. */
export function signInPages(): readonly ConsolePage[] {
  const attempts = countAttempts();
  const failed: ConsolePage['failed'] = (_visit, problem) => ({
    status: errors[problem.code].status,
    html: signInPage(assets, detailOf(problem)),
  });
  const signIn = async (visit: Visit): Promise<PageAnswer> => {
    const { deps, request } = visit;
    const address = request.socket.remoteAddress ?? '';
    const form = await readForm(request, []);
    const refused = (status: number, says: string) => ({ status, html: signInPage(assets, says) });
    if (attempts.isBlocked(address))
      return refused(429, 'There were too many attempts from this address. Wait ten minutes.');
    const caller = await callerOf(deps.db, form.text('key').trim());
    if (caller === null) {
      attempts.failed(address);
      return refused(401, 'This API key is not valid. "lockstep keys list" shows which keys are.');
    }
    const token = await startSession(deps.db, caller, actorOf(caller));
    const cookie = setCookie(request, deps.settings, 'session', token);
    return redirect('/console', { 'set-cookie': cookie });
  };
  const signOut = async (visit: Visit): Promise<PageAnswer> => {
    const { deps, request } = visit;
    const session = await sessionOf(visit);
    if (session !== null) await endSession(deps.db, session.sessionId, actorOf(session.caller));
    const cookie = setCookie(request, deps.settings, 'session', null);
    return redirect(SIGN_IN, { 'set-cookie': cookie });
  };
  return [
    {
      method: 'get',
      path: SIGN_IN,
      handle: async () => ({ status: 200, html: signInPage(assets, '') }),
      failed,
    },
    { method: 'post', path: SIGN_IN, handle: signIn, failed },
    { method: 'post', path: '/console/sign-out', handle: signOut, failed },
  ];
}

/** One of the words that a form may send. @throws HttpProblem `not_found` for any other */
export function oneOf<Word extends string>(word: string, words: readonly Word[]): Word {
  const found = words.find((one) => one === word);
  if (found === undefined) throw new HttpProblem('not_found');
  return found;
}
