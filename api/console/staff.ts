import type { Desk } from '../../console/desk/shell';
import { problemPage } from '../../console/desk/shell';
import { signInAgainPage } from '../../console/desk/sign-in';
import type { Right } from '../../model/api/scopes';
import { errors } from '../../model/errors';
import { asHttpProblem, detailOf, HttpProblem } from '../http/problem';
import { assets } from './assets';
import { type PageApi, pageApi, queryOf } from './call';
import { FORM_BYTES, type Form, readForm } from './form';
import { type Handed, handedTo, takenFrom } from './handed';
import { type KeptFields, keptOrHeld, noDesk } from './kept-form';
import { type ConsolePage, type PageAnswer, redirect, type Visit } from './pages';
import { isRecent, sessionOf } from './session';
import { pageOf, signInAgain, signInFor } from './sign-in-address';
import { withStepUp } from './step-up';

/** What a page of the staff gets: the API with the rights of the session, the frame of the page, and the form. */
export interface StaffVisit {
  readonly visit: Visit;
  readonly api: PageApi;
  /** Whether the user proved who they are a moment ago. */
  readonly isRecent: boolean;
  readonly desk: Desk;
  readonly query: Readonly<Record<string, string>>;
  /** A parameter of the path. */
  readonly param: (name: string) => string;
  /** The text of a field of the form; empty on a page without one. */
  readonly field: (name: string) => string;
  /** The texts of all fields, for a form whose fields depend on the configuration. */
  readonly fields: Readonly<Record<string, string>>;
  /** What the last form has handed to this page; null if nothing. */
  readonly handed: Handed | null;
}

interface StaffPageOptions extends KeptFields {
  /** True if the page is shown only to a user who has signed in a moment ago. */
  readonly needsRecentSignIn?: boolean;
  /** The page to which the form belongs, if that is not the page above its address. */
  readonly home?: string;
  /** The largest form that the page takes. */
  readonly limitBytes?: number;
}

/** A page for staff. Without a session it leads to the sign-in; it holds a form, so that nothing typed is lost. */
export function staffPage(
  method: ConsolePage['method'],
  path: string,
  show: (staff: StaffVisit) => Promise<PageAnswer>,
  options: StaffPageOptions = {},
): ConsolePage {
  const { needsRecentSignIn = false, home, limitBytes = FORM_BYTES } = options;
  return {
    ...{ method, path, ...(home === undefined ? {} : { home }) },
    handle: async (visit) => {
      const session = await sessionOf(visit, 'session');
      if (session === null && method === 'get') return redirect(signInFor(visit));
      // Only a user of the console may make the api read a large form.
      const most = session === null ? FORM_BYTES : limitBytes;
      const form = method === 'post' ? await readForm(visit.request, [], most) : null;
      if (session === null) return keptOrHeld(visit, form, options, 'ended');
      const recent = isRecent(visit, session);
      if (needsRecentSignIn && method === 'get' && !recent) return redirect(signInAgain(visit));
      const api = withStepUp(pageApi(visit.deps, session.caller, visit.gone), recent);
      const handed = handedTo(visit);
      try {
        const answer = await show({ ...staffVisit(visit, api, form, handed), isRecent: recent });
        return handed === null ? answer : { headers: takenFrom(visit), ...answer };
      } catch (error) {
        if (form === null || asHttpProblem(error).code !== 'sign_in_again') throw error;
        return keptOrHeld(visit, form, options, 'tooOld');
      }
    },
    failed: staffFailed(method === 'get' ? null : limitBytes),
  };
}

/** The page for a request that failed. @param limitBytes the largest form that the address takes; null if it takes none */
export const staffFailed =
  (limitBytes: number | null): ConsolePage['failed'] =>
  (visit, problem) => {
    const desk = noDesk();
    if (problem.code === 'sign_in_again')
      return { status: 403, html: signInAgainPage(desk, signInAgain(visit)) };
    const says =
      problem.code === 'body_too_large' && limitBytes !== null
        ? tooLarge(limitBytes)
        : [detailOf(problem), ...issuesOf(problem)].join(' ');
    const back = limitBytes === null ? null : pageOf(visit);
    return { status: errors[problem.code].status, html: problemPage(desk, says, back) };
  };

const tooLarge = (limitBytes: number): string =>
  `Nothing was done. What you have sent is larger than ${
    limitBytes < 1024 * 1024 ? `${limitBytes / 1024} kB` : `${limitBytes / 1024 / 1024} MB`
  }, the most that this page takes. Send it in parts, or use the command line.`;

/** What is wrong with what the user has sent, as sentences. */
export const issuesOf = ({ details }: HttpProblem): string[] =>
  (details.issues ?? []).map(({ path, says }) => `${path.join('.')} ${says}`);

function staffVisit(
  visit: Visit,
  api: PageApi,
  form: Form | null,
  handed: Handed | null,
): Omit<StaffVisit, 'isRecent'> {
  const query = queryOf(visit.request);
  const { done = '', ...rest } = query;
  const links = linkTable.filter(({ right }) => api.may(right));
  const says = handed?.kept === '1' ? KEPT : (sentences[done] ?? '');
  return {
    visit,
    api,
    handed,
    query: rest,
    desk: { assets, name: api.caller.name, links, now: new Date(), done: says },
    param: (name) => String(visit.request.params[name] ?? ''),
    field: (name) => form?.text(name) ?? '',
    fields: form?.texts ?? {},
  };
}

const KEPT =
  'Nothing was done yet, because your sign-in was no longer valid. The form has what you typed: check it, and send it again.';

/** What a page says after a command. The address holds the name only, so that a link cannot put words on the page. */
const sentences: Readonly<Record<string, string>> = {
  ordered: 'Ordered. A worker carries it out in a moment.',
  pause: 'The source is paused.',
  resume: 'The source is resumed.',
  applied: 'The configuration is in force.',
  connected: 'The source is connected. Refresh it to link its accounts to people.',
  ended: 'The session has ended.',
  revoked: 'The key is revoked.',
  unlinked: 'The account is unlinked.',
  reset: 'The history is cleared. An identical change counts as a new one.',
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
  { href: '/console/adapters', title: 'Adapters', right: 'read' },
  { href: '/console/applications', title: 'Applications', right: 'read-people' },
  { href: '/console/settings', title: 'Configuration', right: 'configure' },
  { href: '/console/graph', title: 'Graph', right: 'administer' },
  { href: '/console/keys', title: 'Keys', right: 'administer' },
  { href: '/console/audit', title: 'Audit', right: 'read-audit' },
];

/** One of the words that a form may send. @throws HttpProblem `not_found` for any other */
export function oneOf<Word extends string>(word: string, words: readonly Word[]): Word {
  const found = words.find((one) => one === word);
  if (found === undefined) throw new HttpProblem('not_found');
  return found;
}
