import type { Change } from 'ldapts';
import type { Secret } from '../../model/passwords/secret';
import type { AccountRef, SetPasswordRequest, WriteAnswer } from '../contract';
import type { Accounts } from './accounts';
import type { PasswordPolicyControl } from './controls';
import type { LdapRefusal, Link } from './link';
import { classifyWrite } from './refusals';
import { replace } from './requests';
import type { LdapSettings } from './settings';
import type { LockValues, Vendor } from './vendors';

/** One attempt to write a password, on one link. */
export interface Writing {
  readonly link: Link;
  readonly request: SetPasswordRequest;
  readonly accounts: Accounts;
  readonly settings: LdapSettings;
  readonly vendor: Vendor;
  readonly byModify: boolean;
}

/** The result of an attempt to write, and what may have to be restored after it. */
export interface Attempted {
  readonly answer: WriteAnswer;
  readonly dn: string;
  readonly vendor: Vendor;
  /** Values that another request must restore. */
  readonly cleared: LockValues;
  /** Whether the write may have caused a forced change. */
  readonly mayForceChange: boolean;
  /** The account that must still have the DN after the write. Null if the server has checked that in the write. */
  readonly unasserted: AccountRef | null;
}

export const nothingToRestore = (
  { account }: SetPasswordRequest,
  vendor: Vendor,
): Omit<Attempted, 'answer'> => ({
  dn: account.name,
  vendor,
  cleared: {},
  mayForceChange: false,
  unasserted: null,
});

export const bytesOf = (password: Secret): Buffer => password.use((bytes) => Buffer.from(bytes));

export const classifierFor =
  (vendor: Vendor, policy: PasswordPolicyControl) =>
  (refusal: LdapRefusal): WriteAnswer =>
    vendor.isSame(refusal, policy.error)
      ? { result: 'already_current' }
      : classifyWrite(refusal, policy.error);

/** Changes that give the values back to the entry. */
export const restoring = (cleared: LockValues): Change[] =>
  Object.entries(cleared).map(([attribute, value]) => replace(attribute, value));
