import type { ChangeState } from '../model/change/change';

/** The exit codes of every command, each with its general meaning for `--help`. */
export const exitCodes = {
  done: { code: 0, says: 'success' },
  failed: { code: 1, says: 'the command failed or was refused, or Lockstep cannot be reached' },
  usage: {
    code: 2,
    says: 'the command line, the environment or a file that they name is not valid',
  },
  partial: { code: 3, says: 'some accounts hold the new password, some do not' },
  pending: { code: 4, says: 'not finished yet' },
} as const;

export type Exit = keyof typeof exitCodes;

const exitsByState: Readonly<Record<ChangeState, Exit>> = {
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

/** The exit of a command that shows a change in this state. */
export const exitOf = (state: ChangeState): Exit => exitsByState[state];
