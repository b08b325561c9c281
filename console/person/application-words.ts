import type { OwnApplication } from '../../model/api/own-applications';

/** What a person needs to know about the stored password of an application. */
export type ApplicationRow = 'stored' | 'wrong' | 'missing' | 'switchedOff' | 'applicationOff';

/** Why a stored password may be wrong, as far as it helps the person. */
export type ApplicationReason =
  | 'inDoubt'
  | 'changedThere'
  | 'notReadable'
  | 'changedWhileOff'
  | 'soon'
  | 'unknown';

/** What the person has just done. */
export type ApplicationDone = 'stored' | 'on' | 'off';

/** Why a password was not stored. */
export type ApplicationProblem =
  | 'missing'
  | 'wrong'
  | 'wait'
  | 'changing'
  | 'notChecked'
  | 'notAllowed';

const states = { in_sync: 'stored', out_of_sync: 'wrong', empty: 'missing' } as const;

export function applicationRow({
  enabled,
  applicationEnabled,
  state,
}: OwnApplication): ApplicationRow {
  if (!applicationEnabled) return 'applicationOff';
  return enabled ? states[state] : 'switchedOff';
}

const reasons: Readonly<Record<string, ApplicationReason>> = {
  in_doubt: 'inDoubt',
  capture_refused: 'changedThere',
  hash_only: 'notReadable',
  mapping_disabled: 'changedWhileOff',
  application_disabled: 'changedWhileOff',
  key_store_unavailable: 'soon',
};

/** The sentence key of a reason, which may come from a newer release. */
export const applicationReason = (reason: string): ApplicationReason =>
  Object.hasOwn(reasons, reason) ? (reasons[reason] ?? 'unknown') : 'unknown';
