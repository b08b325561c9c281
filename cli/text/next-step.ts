import { hasEnded } from '../../model/change/change';
import { pauseReasons } from '../../model/change/source-circuit';
import { errors } from '../../model/errors';
import type { Account, Change } from '../http/shapes';

/** A command to try next, and what it is for. */
export type NextStep = readonly [command: string, purpose: string];

export function nextSteps(change: Change): NextStep[] {
  const { id, identity, state } = change;
  switch (state) {
    case 'done':
      return [];
    case 'superseded':
      return [[`lockstep changes --identity ${quoted(identity)}`, 'shows the newer one']];
    default:
      return [
        ...looks(change),
        ...(hasEnded(state)
          ? [step(`lockstep change ${quoted(identity)}`, 'starts again')]
          : [...retries(change), step(`lockstep status ${id} --watch`, 'shows how it goes on')]),
      ];
  }
}

const step = (command: string, purpose: string): NextStep => [command, purpose];

/** Where the reason is to be looked for. */
function looks({ accounts, identity }: Change): NextStep[] {
  const behind = accounts.filter(({ outcome }) => behindStates.includes(outcome));
  const sources = [...new Set(behind.filter(isOfSource).map(({ source }) => source))];
  return [
    ...(sources.length === 0
      ? []
      : [step(`lockstep doctor ${sources.join(' ')}`, 'tells what is wrong there')]),
    ...(behind.some(isOfLink)
      ? [step(`lockstep identities show ${quoted(identity)}`, 'shows which accounts are linked')]
      : []),
  ];
}

function retries({ accounts, id, waitingFor }: Change): NextStep[] {
  if (waitingFor !== null) return [];
  const paused = accounts.filter((one) => one.outcome === 'waiting' && isPaused(one));
  const waiting = accounts.some((one) => one.outcome === 'waiting' && !isPaused(one));
  const parked = accounts.filter(({ outcome }) => outcome === 'parked');
  return [
    ...[...new Set(paused.map(({ source }) => source))].map((source) =>
      step(`lockstep sources resume ${source}`, 'lets all who wait for it go on'),
    ),
    ...(waiting ? [step(`lockstep retry ${id}`, 'tries at once, when that is put right')] : []),
    ...parked.flatMap(({ label }) => [
      step(`lockstep retry ${id} ${label}`, 'tries it again, when that is put right'),
      step(`lockstep cancel ${id} ${label}`, 'leaves it as it is'),
    ]),
  ];
}

const isPaused = ({ reason }: Account): boolean => pauseReasons.some((one) => one === reason);

const behindStates: readonly string[] = ['waiting', 'parked', 'rejected'];

/** The password and the account are not to blame. */
function isOfSource({ reason }: Account): boolean {
  if (reason === null || reason === 'source_paused' || !isErrorCode(reason)) return false;
  const { retry } = errors[reason];
  return retry === 'offline' || retry === 'unknown' || settings.includes(reason);
}

const settings: readonly string[] = ['no_rights', 'not_supported', 'read_only', 'policy'];

const isOfLink = ({ reason }: Account): boolean =>
  reason === 'no_account' || reason === 'several_accounts' || reason === 'no_auth_account';

const isErrorCode = (code: string): code is keyof typeof errors => Object.hasOwn(errors, code);

/** Ready to be pasted into a shell. */
const quoted = (name: string): string =>
  /^[\w.@-]+$/.test(name) ? name : `'${name.replaceAll("'", "'\\''")}'`;
