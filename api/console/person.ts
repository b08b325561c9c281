import { setTimeout as sleep } from 'node:timers/promises';
import { brokenSays, type ChangeForm, changePage } from '../../console/person/change-page';
import { messagePage } from '../../console/person/message-page';
import { progressPage } from '../../console/person/progress-page';
import { personReason } from '../../console/person/reasons';
import type { Texts } from '../../console/texts/texts';
import type { Change } from '../../model/api/changes';
import type { GroupRules, PasswordCheck, PasswordRules } from '../../model/api/password-rules';
import type { ErrorCode } from '../../model/errors';
import { grantChange, grantedChange } from '../../store/sessions';
import { streamChange } from '../changes/events';
import { asHttpProblem, HttpProblem } from '../http/problem';
import { assets } from './assets';
import { type Attempts, countAttempts } from './attempts';
import { cookieOf, setCookie } from './browser-request';
import { type PageApi, pageApi, queryOf } from './call';
import { type Form, readForm } from './form';
import { textsOf } from './languages';
import { type ConsolePage, type PageAnswer, redirect, type Visit } from './pages';

/**
 * The pages on which a person changes the password with the current one. They act with the API key of
 * LOCKSTEP_CONSOLE_KEY_FILE, which has the scopes `change-own` and `read`: without the current password it changes
 * nothing.
 */
export function personPages(consoleKey: () => string | null): readonly ConsolePage[] {
  const attempts = countAttempts();
  const api = async (visit: Visit): Promise<PageApi> => {
    const key = consoleKey();
    if (key === null) throw new HttpProblem('not_found');
    const caller = await visit.deps.authorize([`Bearer ${key}`], 'change-own');
    return pageApi(visit.deps, caller, visit.gone);
  };
  const failed: ConsolePage['failed'] = (visit, problem) => {
    const texts = textsOf(visit);
    const says = consoleKey() === null ? texts.change.closed : pageProblem(texts, problem.code);
    return { status: statusOf(problem), html: messagePage(texts, assets, says) };
  };
  const pages: readonly Omit<ConsolePage, 'failed'>[] = [
    { method: 'get', path: '/password', handle: async (visit) => show(visit, await api(visit)) },
    {
      method: 'post',
      path: '/password',
      handle: async (visit) => submit(visit, await api(visit), attempts),
    },
    {
      method: 'post',
      path: '/password/check',
      handle: async (visit) => checkLists(visit, await api(visit)),
    },
    {
      method: 'get',
      path: '/password/changes/:id',
      handle: async (visit) => {
        const change = await (await api(visit)).get<Change>('/v1/changes/{id}', {
          params: { id: await granted(visit) },
        });
        return { status: 200, html: progressPage(textsOf(visit), assets, change, new Date()) };
      },
    },
    {
      method: 'get',
      path: '/password/changes/:id/events',
      handle: async (visit) => events(visit, await api(visit)),
    },
    {
      method: 'get',
      path: '/.well-known/change-password',
      handle: async () => redirect('/password'),
    },
  ];
  return pages.map((page) => ({ ...page, failed }));
}

const statusOf = ({ code }: HttpProblem): number =>
  code === 'not_found' ? 404 : code === 'forbidden' ? 403 : code === 'request_invalid' ? 400 : 503;

const pageProblem = ({ problems }: Texts, code: ErrorCode): string =>
  code === 'not_found'
    ? problems.notFound
    : code === 'forbidden'
      ? problems.otherSite
      : problems.notNow;

type Empty = Pick<ChangeForm, 'choices' | 'chosen'>;

/** The groups by auth source, and the ones that the person has chosen; the first ones by default. */
async function groupsFor(api: PageApi, wanted: string): Promise<Empty> {
  const { groups } = await api.get<PasswordRules>('/v1/password-rules');
  const byAuth = new Map<string, GroupRules[]>();
  for (const group of groups)
    byAuth.set(group.authSource, [...(byAuth.get(group.authSource) ?? []), group]);
  const choices = [...byAuth.values()];
  const chosen = choices.find((some) => some.some(({ name }) => name === wanted)) ?? choices[0];
  if (chosen === undefined) throw new HttpProblem('no_group');
  return { choices, chosen };
}

async function show(visit: Visit, api: PageApi): Promise<PageAnswer> {
  const { group = '' } = queryOf(visit.request);
  const form = { ...(await groupsFor(api, group)), userName: '', problem: null, broken: [] };
  return { status: 200, html: changePage(textsOf(visit), assets, form) };
}

/** A refusal comes no earlier than this, so that its time does not show whether the user name exists. */
const REFUSED_AFTER_MS = 2_000;

async function submit(visit: Visit, api: PageApi, attempts: Attempts): Promise<PageAnswer> {
  const began = performance.now();
  const address = visit.request.socket.remoteAddress ?? '';
  const texts = textsOf(visit);
  const form = await readForm(visit.request, ['current', 'next']);
  try {
    const empty = await groupsFor(api, form.text('group'));
    const refused = (status: number, problem: string, broken: readonly string[] = []) => ({
      status,
      html: changePage(texts, assets, {
        ...empty,
        userName: form.text('username'),
        problem,
        broken,
      }),
    });
    if (attempts.isBlocked(address)) return refused(429, texts.problems.tooMany);
    if (form.text('username') === '' || !form.secret('current') || !form.secret('next'))
      return refused(422, texts.problems.missing);
    try {
      const change = await start(api, form, empty);
      const token = await grantChange(visit.deps.db, change.id);
      return redirect(`/password/changes/${change.id}?lang=${texts.lang}`, {
        'set-cookie': setCookie(visit.request, visit.deps.settings, 'change', token),
      });
    } catch (error) {
      const refusal = asHttpProblem(error);
      if (refusal.code === 'internal') throw error;
      const { status, problem, isGuess } = refusalOf(texts, refusal);
      const broken = (refusal.details.violations ?? []).map((one) =>
        brokenSays(texts, empty.chosen, one),
      );
      if (isGuess) attempts.failed(address);
      const restMs = REFUSED_AFTER_MS - (performance.now() - began);
      if (isGuess && restMs > 0) await sleep(restMs, undefined, { signal: visit.gone });
      return refused(status, problem, broken);
    }
  } finally {
    form.destroy();
  }
}

/** Starts the change, and waits for the answer of the auth account, which verifies the current password first. */
async function start(api: PageApi, form: Form, { chosen, choices }: Empty): Promise<Change> {
  const [first] = chosen;
  const { body } = await api.answer('post', '/v1/changes', {
    headers: { prefer: 'wait=10, until=auth' },
    body: {
      identity: form.text('username'),
      currentPassword: form.secret('current'),
      password: form.secret('next'),
      ...(choices.length > 1 && first !== undefined ? { group: first.name } : {}),
    },
  });
  return body as Change;
}

interface Refusal {
  readonly status: number;
  readonly problem: string;
  /** True if the refusal could tell a stranger about a user name or a password. */
  readonly isGuess: boolean;
}

/**
 * What the person reads. A wrong user name and a wrong password have the same answer, so that the page does not
 * show which names exist.
 */
function refusalOf({ problems, reasons }: Texts, { code, details }: HttpProblem): Refusal {
  const guess = { status: 422, problem: problems.wrong, isGuess: true };
  if (code === 'identity_unknown' || code === 'no_auth_account' || code === 'no_group')
    return guess;
  if (code === 'password_against_policy')
    return { status: 422, problem: problems.rules, isGuess: false };
  if (code === 'group_needed') return { status: 422, problem: problems.group, isGuess: false };
  if (code !== 'auth_account_refused')
    return { status: 503, problem: problems.notNow, isGuess: false };
  const { reason } = details;
  if (reason === 'wrong_current_password') return guess;
  if (reason === 'current_password_blocked')
    return { status: 429, problem: problems.blocked, isGuess: true };
  const why = reason === null || reason === undefined ? null : personReason(reason);
  return {
    status: 422,
    problem: why === null ? problems.refused : `${problems.refused} ${reasons[why]}`,
    isGuess: true,
  };
}

/** Answers which rules the lists of the policy break, as names. The page asks when every other rule is met. */
async function checkLists(visit: Visit, api: PageApi): Promise<PageAnswer> {
  const form = await readForm(visit.request, ['next']);
  try {
    const password = form.secret('next');
    if (password === null) throw new HttpProblem('request_invalid');
    const group = form.text('group');
    const { body } = await api.answer('post', '/v1/password-checks', {
      body: { password, ...(group === '' ? {} : { group }) },
    });
    const { violations } = body as PasswordCheck;
    return { status: 200, json: { broken: violations.map(({ rule }) => rule) } };
  } finally {
    form.destroy();
  }
}

/** The change of the address, if the cookie of this browser is for it. */
async function granted({ deps, request }: Visit): Promise<string> {
  const token = cookieOf(request, deps.settings, 'change');
  const id = token === null ? null : await grantedChange(deps.db, token);
  if (id === null || id !== request.params.id) throw new HttpProblem('not_found');
  return id;
}

/** Server-sent events without content of the change: the page loads itself again after each. */
async function events(visit: Visit, api: PageApi): Promise<PageAnswer> {
  const { response, deps, gone } = visit;
  const id = await granted(visit);
  deps.streams.open(`change:${id}`, gone);
  response.writeHead(200, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
  const read = () => api.get<Change>('/v1/changes/{id}', { params: { id } });
  await streamChange(deps, id, read, gone, response, (change) => stampOf(change));
  response.end();
  return { status: 200, streamed: true };
}

/** Differs whenever the page of a change differs. */
const stampOf = ({ state, accounts }: Change) => ({
  state,
  accounts: accounts.map(({ updatedAt, outcome }) => `${outcome} ${updatedAt.toISOString()}`),
});
