import { type ChangeState, hasEnded } from '../../model/change/change';
import type { MappingState } from '../../model/change/mapping';
import {
  isSettled,
  type OutcomeState,
  outcomeStates,
  type Proof,
} from '../../model/change/outcome';
import { leaveOutSays } from '../../model/change/plan';
import { errors } from '../../model/errors';
import type { Account, Change, Mapping } from '../http/shapes';
import type { Output, Style } from '../output';
import { nextSteps } from './next-step';
import { GAP, NARROWEST, table } from './table';
import { cut, pad, widthOf, wrap } from './text-width';
import { relative, span } from './times';

/** How a change is told to a person. */

type Mark = readonly [string, Style];

const marks: Readonly<Partial<Record<OutcomeState, Mark>>> = {
  applied: ['✔', 'green'],
  rejected: ['✖', 'red'],
  expired: ['✖', 'red'],
  applying: ['…', 'yellow'],
  waiting: ['…', 'yellow'],
  parked: ['!', 'yellow'],
};

const markOf = ({ outcome }: Pick<Account, 'outcome'>): Mark =>
  marks[outcome] ?? (isSettled(outcome) ? ['-', 'dim'] : ['·', 'dim']);

const proofs: Readonly<Record<Proof, string>> = {
  login: 'proved by a login',
  hash: 'proved by its hash',
  timestamp: 'proved by its time',
  none: 'not proved',
};

/** State, attempt, next try and proof of an account, in words: one line, without its names. */
export function standing(account: Account, now: number): string {
  const { outcome, reason, attempts, nextTryAt, proved, proof } = account;
  const words = outcomeStates[outcome].says;
  switch (outcome) {
    case 'applied':
      return `${words}, ${proved ? proofs[proof] : proofs.none}`;
    case 'waiting':
      return [
        reason === null ? words : `waiting: ${worded(reason)}`,
        `attempt ${attempts}`,
        ...(nextTryAt === null ? [] : [nextTry(nextTryAt, now)]),
      ].join(', ');
    case 'parked':
      return `parked${reason === null ? '' : `: ${worded(reason)}`}, attempt ${attempts}`;
    case 'applying':
      return attempts > 1 ? `${words}, attempt ${attempts}` : words;
    default:
      return reason === null || !isSettled(outcome) ? words : `${words}: ${worded(reason)}`;
  }
}

const worded = (code: string): string => code.replaceAll('_', ' ');

function nextTry(time: string, now: number): string {
  const ms = Date.parse(time) - now;
  return ms > 0 ? `next try in ${span(ms)}` : 'next try now';
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
  return [{ text: mark, style }, labelOf(account), nameOf(account), standing(account, now)];
}

/** `waiting: unreachable, attempt 3, next try in 42 s`; the same for all rows at all times, so that they line up. */
const STANDING_WIDTH = 50;

/** Rows of several accounts that line up, without their marks: one line each, cut to `width`. */
export function rowText(
  accounts: readonly Account[],
  width: number,
  now: number,
): (account: Account) => string {
  const widest = (textOf: (account: Account) => string) =>
    Math.max(0, ...accounts.map((account) => widthOf(textOf(account))));
  const labels = widest(labelOf);
  const left = width - labels - STANDING_WIDTH - 2 * GAP.length;
  const names = Math.min(widest(nameOf), Math.max(left, NARROWEST));
  return (account) => {
    const name = pad(cut(nameOf(account), names), names);
    const cells = [pad(labelOf(account), labels), name, standing(account, now)];
    return cut(cells.join(GAP), width);
  };
}

export const standstills = {
  worker: 'No worker runs. The change is kept, and goes on as soon as one does.',
  engine:
    'The engine (Temporal) cannot be reached. The change is kept, and goes on as soon as it can.',
} as const;

/** A change in one line. */
function summary({ paint }: Output, change: Change): string {
  const counted = change.accounts.filter(({ outcome }) => outcome !== 'not_applicable');
  const applied = counted.filter(({ outcome }) => outcome === 'applied').length;
  const count = counted.length === 0 ? '' : ` (${applied} of ${counted.length})`;
  const [mark, style] = markOfState(change.state);
  return `${paint(style, mark)} ${paint('bold', change.identity)}: ${change.says}${count}`;
}

export function markOfState(state: ChangeState): Mark {
  if (state === 'done') return ['✔', 'green'];
  if (state === 'partial') return ['!', 'yellow'];
  return hasEnded(state) ? ['✖', 'red'] : ['…', 'yellow'];
}

/** Why, and what to do: of the change, then of each account that does not hold the new password. */
function reasons({ width }: Output, change: Change): string[] {
  const behind = change.accounts.filter(
    ({ outcome, reason }) => outcome !== 'applied' && reason !== null,
  );
  const told = behind.some(({ reason }) => reason === change.reason);
  const all = [
    ...(change.waitingFor === null ? [] : [standstills[change.waitingFor]]),
    ...(change.reasonSays === null || told ? [] : [change.reasonSays]),
    ...behind.map(reasonOf),
  ];
  return all.flatMap((says) => indented(says, width));
}

function reasonOf({ label, reason, says, vendorCode }: Account): string {
  const sentence = reason === null ? says : (sentences[reason] ?? says);
  return `${label}: ${sentence}${vendorCode === null ? '' : ` (code ${vendorCode})`}`;
}

/** Of every code that an account may have; an api that is newer may know more. */
const sentences: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.entries(errors).map(([code, { says }]) => [code, says])),
  ...leaveOutSays,
};

export const indented = (says: string, width: number): string[] =>
  wrap(says, width - 4).map((line, index) => `${index === 0 ? '  ' : '    '}${line}`);

/** What to try next: commands to be copied, each with what it is for. */
function next({ paint, width }: Output, change: Change): string[] {
  const steps = nextSteps(change).flatMap(([command, purpose]) => {
    const fits = `  ${command}  ${purpose}`.length <= width;
    const shown = `  ${paint('bold', command)}`;
    return fits ? [`${shown}  ${purpose}`] : [shown, `      ${purpose}`];
  });
  return steps.length === 0 ? [] : ['Next:', ...steps];
}

/** What came of it, and what to do. */
export const inShort = (output: Output, change: Change): string[] => [
  summary(output, change),
  `  ${change.id}`,
  ...reasons(output, change),
  ...next(output, change),
];

/** Everything about a change. */
export function inFull(output: Output, change: Change, now: number): string[] {
  const { groups, requestedBy, createdAt, endedAt, expiresAt, form, links } = change;
  const end =
    endedAt === null
      ? `will be given up ${relative(expiresAt, now)}`
      : `ended ${relative(endedAt, now)}`;
  const rows = change.accounts.map((account) => accountRow(account, now));
  return [
    summary(output, change),
    `  ${change.id}, ${groups.join(', ')}`,
    `  started ${relative(createdAt, now)} by ${requestedBy}, ${end}`,
    ...(form === 'plaintext' ? [] : [`  came as a hash (${form}): no policy has judged it`]),
    ...section('', rows.length === 0 ? [] : table(output, accountColumns, rows)),
    ...section('Why', reasons(output, change)),
    ...section('', mappingLines(output, change.mappings)),
    ...section('', links.temporal === undefined ? [] : [`Temporal: ${links.temporal}`]),
    ...section('', next(output, change)),
  ];
}

const section = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : ['', ...(title === '' ? [] : [title]), ...lines];

const mappingStates: Readonly<Record<MappingState, string>> = {
  empty: 'holds nothing yet',
  in_sync: 'holds what the system holds',
  out_of_sync: 'may not hold what the system holds',
};

const mappingColumns = [
  { title: 'APPLICATION' },
  { title: 'ACCOUNT', cut: 'first' },
  { title: 'CREDENTIAL', cut: 'last' },
] as const;

export const mappingLines = (output: Output, mappings: readonly Mapping[]): string[] =>
  mappings.length === 0
    ? []
    : table(
        output,
        mappingColumns,
        mappings.map(({ application, account, state, reason }) => [
          application,
          account,
          `${mappingStates[state]}${reason === null ? '' : `: ${worded(reason)}`}`,
        ]),
      );
