import { type ErrorCode, errors } from '../errors';

/** What Lockstep can do to an account besides setting its password. A kind of source supports some of it, or nothing. */
export const accountActions = ['unlock', 'force-change'] as const;
export type AccountAction = (typeof accountActions)[number];

export const isAccountAction = (kind: string): kind is AccountAction =>
  accountActions.some((action) => action === kind);

/** What became of an action at one account. `already`: there was nothing to do. */
export const actionResults = ['done', 'already', 'failed'] as const;
export type ActionResult = (typeof actionResults)[number];

/** Seconds after which a worker no longer carries out an action, because the person no longer waits for it. */
export const ACTION_WITHIN_SECONDS = 600;

const succeeded: Readonly<Record<AccountAction, Record<'done' | 'already', string>>> = {
  unlock: {
    done: 'The account is unlocked.',
    already: 'The account was not locked.',
  },
  'force-change': {
    done: 'The person must change the password at the next login.',
    already: 'The person already had to change the password at the next login.',
  },
};

/** Sentences for the reasons whose sentence in `errors` is about a password. */
const refused: Readonly<Partial<Record<ErrorCode, string>>> = {
  account_disabled:
    'The account is not locked, but disabled in its source. Lockstep enables no account: enable it there.',
  account_locked: 'The source has locked the account. Unlock it first.',
  no_own_password:
    'The account has no password of its own: it signs in through another system, or only with a smart card or key.',
  no_rights:
    'The service account of Lockstep may not do this. Grant it the right that docs/connectors.md names for this kind of source.',
  not_supported:
    'The source cannot do this, or its policy ignores it for this account. Do it in the source itself, if it can.',
  too_old: 'No worker has carried this out in time, so nothing was done. Request it again.',
};

/** One sentence about an action at one account. @param result null while no worker has carried it out */
export function actionSays(
  action: AccountAction,
  result: ActionResult | null,
  reason: ErrorCode | null,
): string {
  if (result === null) return 'No worker has carried this out yet.';
  if (result !== 'failed') return succeeded[action][result];
  const why = reason ?? 'unknown';
  return refused[why] ?? errors[why].says;
}
