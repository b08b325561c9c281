import { type ChangeState, endedInVain, hasEnded } from '../../model/change/change';
import {
  isSettled,
  type OutcomeState,
  outcomeStates,
  type Proof,
} from '../../model/change/outcome';
import { signInObstacles } from '../../model/change/sign-in-prevented';
import { isErrorCode } from '../../model/errors';
import { span } from '../../model/span';
import type { Account, Change, Mapping } from '../http/answers';
import type { Output, Style } from '../output';
import { credentialText } from './credential-text';
import { nextSteps } from './next-step';
import { GAP, MIN_WIDTH, table } from './table';
import { cut, pad, widthOf, wrap } from './text-width';
import { relative } from './times';

/** The text about a change: in one line per account, in short, or in full. */

type Mark = readonly [string, Style];

const marks: Readonly<Partial<Record<OutcomeState, Mark>>> = {
  applied: ['✔', 'green'],
  rejected: ['✖', 'red'],
  expired: ['✖', 'red'],
  applying: ['…', 'yellow'],
  waiting: ['…', 'yellow'],
  parked: ['!', 'yellow'],
};

const ATTENTION: Mark = ['!', 'yellow'];

const markOf = ({ outcome, signInPrevented }: Account): Mark =>
  (signInPrevented === null ? marks[outcome] : ATTENTION) ??
  (isSettled(outcome) ? ['-', 'dim'] : ['·', 'dim']);

export const proofs: Readonly<Record<Proof, string>> = {
  login: 'verified by a login',
  hash: 'verified by its hash',
  timestamp: 'verified by its time of change',
  none: 'not verified',
};

/** The state of an account in one line, without its names: outcome, reason, attempts, next attempt and proof. */
export function statusText(account: Account, now: number): string {
  const { outcome, reason, attempts, nextTryAt } = account;
  const words = outcomeStates[outcome].says;
  switch (outcome) {
    case 'applied':
      return appliedText(account);
    case 'waiting':
      return [
        reason === null ? words : `waiting: ${readable(reason)}`,
        `attempt ${attempts}`,
        ...(nextTryAt === null ? [] : [nextAttempt(nextTryAt, now)]),
      ].join(', ');
    case 'parked':
      return `parked${reason === null ? '' : `: ${readable(reason)}`}, attempt ${attempts}`;
    case 'applying':
      return attempts > 1 ? `${words}, attempt ${attempts}` : words;
    default:
      return endedText(account);
  }
}

/** Why an account was not written, and the password that it holds as far as Lockstep knows. */
function endedText({ outcome, reason, holds }: Account): string {
  const words = outcomeStates[outcome].says;
  if (!isSettled(outcome)) return words;
  const why = reason === null ? words : `${words}: ${readable(reason)}`;
  // An API of an earlier release does not report it.
  const held = outcome === 'not_applicable' ? undefined : heldShort[holds];
  return held === undefined ? why : `${why}; ${held}`;
}

const heldShort: Readonly<Record<Account['holds'], string>> = {
  new: 'holds the new password',
  earlier: 'keeps its password',
  newer: 'holds a newer password',
  unknown: 'may hold either password',
};

/** An obstacle comes before the proof, because a narrow terminal cuts off the end. */
function appliedText({ outcome, reason, signInPrevented, proof, holds }: Account): string {
  if (holds === 'newer') return `took it, ${proofs[proof]}; ${heldShort.newer}`;
  const words = outcomeStates[outcome].says;
  if (signInPrevented !== null)
    return `${words}, but ${obstacleText(signInPrevented)}; ${proofs[proof]}`;
  const unproved = proof === 'none' && reason !== null && isErrorCode(reason);
  return `${words}, ${proofs[proof]}${unproved ? `: ${readable(reason)}` : ''}`;
}

/** A newer API may send an obstacle that this version does not know. */
const obstacleText = (code: NonNullable<Account['signInPrevented']>): string =>
  signInObstacles[code]?.inShort ?? readable(code);

const readable = (code: string): string => code.replaceAll('_', ' ');

function nextAttempt(time: string, now: number): string {
  const ms = Date.parse(time) - now;
  return ms > 0 ? `next attempt in ${span(ms)}` : 'next attempt now';
}

const labelOf = ({ label, role }: Account): string => (role === 'auth' ? `${label} (auth)` : label);
const nameOf = ({ account }: Account): string => account ?? 'not found yet';

const accountColumns = [
  { title: '' },
  { title: 'ACCOUNT' },
  { title: 'NAME', cut: 'first' },
  { title: 'STATE', cut: 'last' },
] as const;

function accountRow(account: Account, now: number) {
  const [mark, style] = markOf(account);
  return [{ text: mark, style }, labelOf(account), nameOf(account), statusText(account, now)];
}

/** Columns for `waiting: unreachable, attempt 3, next attempt in 42 s`; constant, so that rows do not move. */
const STATUS_WIDTH = 52;

/** Makes a function that returns the row of an account, without its mark: aligned with the others and cut to `width`. */
export function rowText(
  accounts: readonly Account[],
  width: number,
  now: number,
): (account: Account) => string {
  const widest = (textOf: (account: Account) => string) =>
    Math.max(0, ...accounts.map((account) => widthOf(textOf(account))));
  const labels = widest(labelOf);
  const left = width - labels - STATUS_WIDTH - 2 * GAP.length;
  const names = Math.min(widest(nameOf), Math.max(left, MIN_WIDTH));
  return (account) => {
    const name = pad(cut(nameOf(account), names), names);
    const cells = [pad(labelOf(account), labels), name, statusText(account, now)];
    return cut(cells.join(GAP), width);
  };
}

/** Why the whole change waits, and what to do. */
export const stalledText = {
  worker:
    'No worker is running. The change is kept and continues as soon as a worker runs: start one.',
  engine:
    'The engine (Temporal) cannot be reached. The change is kept and continues once it is reachable: check that Temporal is running.',
  key_store:
    'The new credentials of single sign-on applications cannot be sealed, because the store of the master keys is unavailable. The accounts are changed; the change is kept and stores the credentials once the key store is back: run "lockstep doctor".',
} as const;

const CAPTURE_IN_VAIN =
  'The password was changed in one account and captured there, so that account now holds another password than the others. "lockstep stale" lists it until a later change writes it.';

const isCaptureInVain = ({ capturedAt, state, accounts }: Change): boolean =>
  capturedAt !== null &&
  endedInVain.includes(state) &&
  accounts.some(({ holds }) => holds === 'new');

/** A change in one line. */
function summary({ paint }: Output, change: Change): string {
  const counted = change.accounts.filter(({ outcome }) => outcome !== 'not_applicable');
  const applied = counted.filter(({ outcome }) => outcome === 'applied').length;
  const isCounted = counted.length > 0 && change.partial !== true;
  const count = isCounted ? ` (${applied} of ${counted.length})` : '';
  const [mark, style] = markOfState(change.state, change.signInsPrevented);
  return `${paint(style, mark)} ${paint('bold', change.identity)}: ${change.says}${count}`;
}

/**
 * The mark of a change in this state, and its colour.
 * @param signInsPrevented number of accounts that hold the new password and in which the person cannot sign in
 */
export function markOfState(state: ChangeState, signInsPrevented: number): Mark {
  if (state === 'done' && signInsPrevented === 0) return ['✔', 'green'];
  if (state === 'done' || state === 'partial') return ATTENTION;
  return hasEnded(state) ? ['✖', 'red'] : ['…', 'yellow'];
}

/**
 * The reason and what to do: first for the change, then for each account that does not hold the new password, or in which
 * the person cannot sign in. An account that was not tried because of the auth account has no reason of its own.
 */
function reasons({ width }: Output, change: Change): string[] {
  const behind = change.accounts.filter(
    ({ outcome, reason, signInPrevented }) =>
      signInPrevented !== null ||
      (outcome !== 'applied' && reason !== null && reason !== 'auth_unchanged'),
  );
  const isRepeated = behind.some(({ reason }) => reason === change.reason);
  const all = [
    ...(change.waitingFor === null ? [] : [stalledText[change.waitingFor]]),
    ...(change.reasonSays === null || isRepeated ? [] : [change.reasonSays]),
    ...(isCaptureInVain(change) ? [CAPTURE_IN_VAIN] : []),
    ...behind.map(reasonOf),
    ...change.accounts.filter(({ outcome }) => outcome === 'applied').flatMap(rewritingOf),
  ];
  return all.flatMap((says) => indented(says, width));
}

function reasonOf({
  label,
  outcome,
  reasonSays,
  says,
  vendorCode,
  holds,
  holdsSays,
}: Account): string {
  const sentence = `${label}: ${reasonSays ?? says}${vendorCode === null ? '' : ` (code ${vendorCode})`}`;
  // An account that keeps its password says so in its row already.
  const isShown = isSettled(outcome) && outcome !== 'applied' && outcome !== 'not_applicable';
  return isShown && holds === 'unknown' ? `${sentence} ${holdsSays}` : sentence;
}

/** The person does not know the password that a filter makes. An API of an older release reports none. */
const rewritingOf = ({ label, rewriting }: Account): string[] =>
  rewriting === null || rewriting === undefined
    ? []
    : [
        `${label}: The account holds the password as the filter of its source rewrites it: ${rewriting}.`,
      ];

/** Wraps a sentence to the width and indents it, continuation lines further. */
export const indented = (says: string, width: number): string[] =>
  wrap(says, width - 4).map((line, index) => `${index === 0 ? '  ' : '    '}${line}`);

/** The commands to run next, each with its purpose. */
function next({ paint, width }: Output, change: Change): string[] {
  const steps = nextSteps(change).flatMap(([command, purpose]) => {
    const fits = `  ${command}  ${purpose}`.length <= width;
    const shown = `  ${paint('bold', command)}`;
    return fits ? [`${shown}  ${purpose}`] : [shown, `      ${purpose}`];
  });
  return steps.length === 0 ? [] : ['Next:', ...steps];
}

/** The result of a change, the reasons and the next steps. */
export const inShort = (output: Output, change: Change): string[] => [
  summary(output, change),
  `  ${change.id}`,
  ...reasons(output, change),
  ...next(output, change),
];

/** The text of `lockstep status`: everything about a change. */
export function inFull(output: Output, change: Change, now: number): string[] {
  const { groups, requestedBy, createdAt, endedAt, expiresAt, form, links } = change;
  const end =
    endedAt === null ? `expires ${relative(expiresAt, now)}` : `ended ${relative(endedAt, now)}`;
  const rows = change.accounts.map((account) => accountRow(account, now));
  return [
    summary(output, change),
    `  ${change.id}, ${groups.join(', ')}`,
    `  started ${relative(createdAt, now)} by ${requestedBy}, ${end}`,
    ...(form === 'plaintext'
      ? []
      : [`  captured as a hash (${form}): no policy could check the password`]),
    ...section('', rows.length === 0 ? [] : table(output, accountColumns, rows)),
    ...section('Why:', reasons(output, change)),
    ...section('', mappingLines(output, change.mappings)),
    ...section('', links.temporal === undefined ? [] : [`Temporal: ${links.temporal}`]),
    ...section('', next(output, change)),
  ];
}

const section = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : ['', ...(title === '' ? [] : [title]), ...lines];

const mappingColumns = [
  { title: 'APPLICATION' },
  { title: 'ACCOUNT', cut: 'first' },
  { title: 'CREDENTIAL', cut: 'last' },
] as const;

/** A row for each application of a person, and the state of its stored credential. */
export const mappingLines = (output: Output, mappings: readonly Mapping[]): string[] =>
  mappings.length === 0
    ? []
    : table(
        output,
        mappingColumns,
        mappings.map((mapping) => [mapping.application, mapping.account, credentialText(mapping)]),
      );
