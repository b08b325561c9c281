import { setTimeout as sleep } from 'node:timers/promises';
import { brokenSays, type ChangeForm, changePage } from '../../console/person/change-page';
import type { Change } from '../../model/api/changes';
import type { Me } from '../../model/api/me';
import type { PasswordCheck } from '../../model/api/password-rules';
import { asHttpProblem, HttpProblem } from '../http/problem';
import { assets } from './assets';
import type { Attempts } from './attempts';
import { type PageApi, queryOf } from './call';
import { type Choices, choicesFor } from './choices';
import { type Form, readForm } from './form';
import { textsOf } from './languages';
import type { ConsolePage, PageAnswer, Visit } from './pages';
import { refusalOf } from './refusals';

/** A form on which a person chooses a new password. */
export interface PasswordForm {
  readonly api: PageApi;
  /** Reads who the person is; null if the form asks for the user name and the current password. */
  readonly known: (() => Promise<KnownPerson>) | null;
  readonly frame: Pick<ChangeForm, 'action' | 'why'>;
  /** The answer once the auth account has accepted the change, or has not answered yet. */
  readonly accepted: (change: Change) => Promise<PageAnswer>;
}

export interface KnownPerson {
  readonly name: string;
  /** The sources of their accounts. */
  readonly sources: readonly string[];
}

/** The person who has signed in, or has a link. */
export async function readKnown(api: PageApi): Promise<KnownPerson> {
  const { name, accounts } = await api.get<Me>('/v1/me');
  return { name, sources: accounts.map(({ source }) => source) };
}

type Page = Omit<ConsolePage, 'failed'>;

/**
 * The form, its answer, and the check of lists that its script asks for.
 * @param open the form for this browser, or another answer if it may not use it
 */
export function passwordFormPages(
  path: string,
  attempts: Attempts,
  open: (visit: Visit) => Promise<PasswordForm | PageAnswer>,
): readonly Page[] {
  const withForm =
    (handle: (visit: Visit, form: PasswordForm) => Promise<PageAnswer>) => async (visit: Visit) => {
      const opened = await open(visit);
      return 'status' in opened ? opened : handle(visit, opened);
    };
  return [
    { method: 'get', path, handle: withForm(show) },
    { method: 'post', path, handle: withForm((visit, form) => submit(visit, form, attempts)) },
    { method: 'post', path: `${path}/check`, handle: withForm(checkLists) },
  ];
}

async function show(visit: Visit, { api, known: read, frame }: PasswordForm): Promise<PageAnswer> {
  const known = await read?.();
  const { group = '' } = queryOf(visit.request);
  const choices = await choicesFor(api, group, known?.sources);
  const userName = known?.name ?? '';
  const form = { ...frame, ...choices, userName, maySignIn: maySignIn(visit) };
  const page = { ...form, problem: null, broken: [] };
  return { status: 200, html: changePage(textsOf(visit), assets, page) };
}

const maySignIn = ({ deps }: Visit): boolean => deps.settings.provider !== null;

/** A refusal comes no earlier than this, so that its time does not show whether the user name exists. */
const REFUSED_AFTER_MS = 2_000;

async function submit(visit: Visit, to: PasswordForm, attempts: Attempts): Promise<PageAnswer> {
  const began = performance.now();
  const address = visit.request.socket.remoteAddress ?? '';
  const texts = textsOf(visit);
  const form = await readForm(visit.request, ['current', 'next']);
  try {
    const known = await to.known?.();
    const userName = known?.name ?? form.text('username');
    const choices = await choicesFor(to.api, form.text('group'), known?.sources);
    const refused = (status: number, problem: string, broken: readonly string[] = []) => ({
      status,
      html: changePage(texts, assets, {
        ...{ ...to.frame, ...choices, userName, problem, broken },
        maySignIn: maySignIn(visit),
      }),
    });
    if (attempts.isBlocked(address)) return refused(429, texts.problems.tooMany);
    const isComplete = to.known !== null || form.secret('current') !== null;
    if (userName === '' || !isComplete || !form.secret('next'))
      return refused(422, texts.problems.missing);
    try {
      return await to.accepted(await start(to, form, userName, choices));
    } catch (error) {
      const refusal = asHttpProblem(error);
      if (refusal.code === 'internal') throw error;
      const { violations = [] } = refusal.details;
      const { status, problem, isGuess } = refusalOf(texts, refusal, to.known !== null);
      const broken = violations.map((one) => brokenSays(texts, choices.chosen, one));
      if (isGuess) attempts.failed(address);
      const restMs = REFUSED_AFTER_MS - (performance.now() - began);
      if (isGuess && restMs > 0) await sleep(restMs, undefined, { signal: visit.gone });
      return refused(status, problem, broken);
    }
  } finally {
    form.destroy();
  }
}

/** Starts the change, and waits for the answer of the auth account. */
async function start(
  { api, known }: PasswordForm,
  form: Form,
  identity: string,
  { chosen, choices }: Choices,
): Promise<Change> {
  const [first] = chosen;
  const { body } = await api.answer('post', '/v1/changes', {
    headers: { prefer: 'wait=10, until=auth' },
    body: {
      identity,
      password: form.secret('next'),
      ...(known === null ? { currentPassword: form.secret('current') } : {}),
      ...(choices.length > 1 && first !== undefined ? { group: first.name } : {}),
    },
  });
  return body as Change;
}

/** Answers which rules the lists of the policy break, as names. The page asks when every other rule is met. */
async function checkLists(visit: Visit, { api }: PasswordForm): Promise<PageAnswer> {
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
