/**
 * What keeps a person from signing in with an account, although it holds the new password. A write of Lockstep changes
 * the password only: it unlocks and enables nothing, so this is a fact of its own next to the outcome.
 */
export const signInObstacles = {
  account_disabled: {
    says: 'The account is disabled or has expired in its source, so the person cannot sign in there. Enable it in the source if the person should.',
    inShort: 'the account is disabled',
  },
  account_locked: {
    says: 'The source has locked the account, so the person cannot sign in there until the lock ends. Unlock it in the source to go faster.',
    inShort: 'the account is locked',
  },
  must_change_password: {
    says: 'The source asks the person for another password at the next sign-in there, and many applications refuse the sign-in until then. Clear that mark in the source if the password should stay.',
    inShort: 'it must be changed at the next sign-in',
  },
} as const;

export type SignInObstacle = keyof typeof signInObstacles;

export const isSignInObstacle = (code: string | null): code is SignInObstacle =>
  code !== null && Object.hasOwn(signInObstacles, code);

/** The obstacle that the state of an account in its source shows; null when there is none. */
export function obstacleIn(state: {
  readonly disabled: boolean;
  readonly locked: boolean;
  readonly mustChange: boolean;
}): SignInObstacle | null {
  if (state.disabled) return 'account_disabled';
  if (state.locked) return 'account_locked';
  return state.mustChange ? 'must_change_password' : null;
}
