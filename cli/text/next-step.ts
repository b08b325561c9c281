import { hasEnded } from '../../model/change/change';
import { pauseReasons } from '../../model/change/source-circuit';
import { errors } from '../../model/errors';
import { quoted } from '../../model/quoted';
import type { Account, Change } from '../http/answers';

/** A command to run next, and its purpose. */
export type NextStep = readonly [command: string, purpose: string];

/** The commands that help with this change, the most useful first; none if it is done. */
export function nextSteps(change: Change): NextStep[] {
  const { id, identity, state } = change;
  switch (state) {
    case 'done':
      return [];
    case 'superseded':
      return [[`lockstep changes --identity ${quoted(identity)}`, 'show the newer change']];
    default:
      return [
        ...diagnosis(change),
        ...(hasEnded(state)
          ? [step(`lockstep change ${quoted(identity)}`, 'start a new change')]
          : [...retries(change), step(`lockstep status ${id} --watch`, 'show the progress')]),
      ];
  }
}

const step = (command: string, purpose: string): NextStep => [command, purpose];

/** Commands that show the cause. */
function diagnosis({ accounts, identity }: Change): NextStep[] {
  const behind = accounts.filter(({ outcome }) => behindStates.includes(outcome));
  const sources = [...new Set(behind.filter(isOfSource).map(({ source }) => source))];
  return [
    ...(sources.length === 0
      ? []
      : [step(`lockstep doctor ${sources.join(' ')}`, 'find the cause')]),
    ...(behind.some(isOfLink)
      ? [step(`lockstep identities show ${quoted(identity)}`, 'show which accounts are linked')]
      : []),
  ];
}

/** Commands that make waiting and parked accounts continue. */
function retries({ accounts, id, waitingFor }: Change): NextStep[] {
  if (waitingFor !== null) return [];
  const paused = accounts.filter((account) => account.outcome === 'waiting' && isPaused(account));
  const waiting = accounts.some((account) => account.outcome === 'waiting' && !isPaused(account));
  const parked = accounts.filter(({ outcome }) => outcome === 'parked');
  return [
    ...[...new Set(paused.map(({ source }) => source))].map((source) =>
      step(`lockstep sources resume ${source}`, 'resume the source once the cause is corrected'),
    ),
    ...(waiting ? [step(`lockstep retry ${id}`, 'retry now, once the cause is corrected')] : []),
    ...parked.flatMap(({ label }) => [
      step(`lockstep retry ${id} ${label}`, 'retry it, once the cause is corrected'),
      step(`lockstep cancel ${id} ${label}`, 'cancel this account'),
    ]),
  ];
}

const isPaused = ({ reason }: Account): boolean => pauseReasons.some((pause) => pause === reason);

const behindStates: readonly string[] = ['waiting', 'parked', 'rejected'];

/** Whether the cause is in the source or its settings, rather than in the password or the account. */
function isOfSource({ reason }: Account): boolean {
  if (reason === null || reason === 'source_paused' || !isErrorCode(reason)) return false;
  const { retry } = errors[reason];
  return retry === 'offline' || retry === 'unknown' || settings.includes(reason);
}

const settings: readonly string[] = ['no_rights', 'not_supported', 'read_only', 'policy'];

const isOfLink = ({ reason }: Account): boolean => ofLink.some((code) => code === reason);

const ofLink = [
  'no_account',
  'account_replaced',
  'account_renamed',
  'capture_of_another_account',
  'service_account',
  'linked_twice',
  'several_accounts',
  'several_people',
  'no_auth_account',
] as const;

const isErrorCode = (code: string): code is keyof typeof errors => Object.hasOwn(errors, code);
