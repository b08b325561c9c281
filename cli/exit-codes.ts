import type { ChangeState } from '../model/change/change';

/** How every command ends. */
export const exitCodes = {
  done: { code: 0, says: 'done' },
  failed: { code: 1, says: 'failed, refused, or Lockstep cannot be reached' },
  usage: { code: 2, says: 'the command line or a file that it names is wrong' },
  partial: { code: 3, says: 'some accounts hold the new password, some do not' },
  pending: { code: 4, says: 'not ended yet' },
} as const;

export type Exit = keyof typeof exitCodes;

const ends: Readonly<Record<ChangeState, Exit>> = {
  accepted: 'pending',
  applying: 'pending',
  waiting: 'pending',
  done: 'done',
  partial: 'partial',
  refused: 'failed',
  failed: 'failed',
  expired: 'failed',
  cancelled: 'failed',
  superseded: 'failed',
};

/** How a command ends that tells where a change stands. */
export const exitOf = (state: ChangeState): Exit => ends[state];
