import type { Secret } from '../../model/passwords/secret';
import type { SetPasswordRequest, WriteAnswer } from '../contract';
import type { Accounts } from './accounts';
import type { Use } from './dialect';
import { ownAccount } from './own-account';
import { readsPasswords, refusalAt } from './pass-through';
import { restoreAfter } from './restore';
import { serverOf } from './server';
import type { LdapSettings } from './settings';
import type { Vendor } from './vendors';
import { readThenWrite } from './write-after-read';
import { CRITICAL_CONTROL_UNKNOWN, modifyAsserting } from './write-asserting';
import { type Attempted, nothingToRestore } from './writing';

/**
 * Returns a function that writes passwords and leaves everything else of the account unchanged.
 *
 * A modify request does that in one step: it asserts that the server would clear nothing, or else keeps the values in the
 * same request. The operation of RFC 3062 carries only the password. There, and on servers that cannot keep values in the
 * same request, the account is read before the write and restored after it; in between, a locked account is not locked.
 */
export function passwordWriter(settings: LdapSettings, accounts: Accounts) {
  let canAssert = true;
  const canRead = readsPasswords(settings);
  return async (use: Use, request: SetPasswordRequest): Promise<WriteAnswer> => {
    const attempted = await use(async (link) => {
      const { vendor } = await serverOf(link);
      const isHash = request.form !== 'plaintext';
      const looksHashed = !isHash && looksLikeHash(request.password);
      if (looksHashed && vendor.storesHashes) return refused(request, vendor);
      const byModify = isHash || wayToWrite(settings, vendor, looksHashed) === 'modify';
      const writing = { link, request, accounts, settings, vendor, byModify };
      const isOwn = await ownAccount(link, accounts);
      const mustRead = request.account.nativeId === null || isOwn(request.account);
      if (!byModify || !canAssert || mustRead || vendor.clearsAny === null)
        return readThenWrite(writing);
      if ((await canRead(link)) && (await refusalAt(link, request.account.name, settings)) !== null)
        return readThenWrite(writing);
      const asserted = await modifyAsserting(writing, vendor.clearsAny);
      if (typeof asserted === 'object') return asserted;
      canAssert = asserted !== CRITICAL_CONTROL_UNKNOWN;
      return readThenWrite(writing);
    });
    const answer = await restoreAfter(use, attempted, accounts.ids);
    // A policy cannot check the quality of a hash, and then answers as for a weak password.
    const lowQuality = answer.result === 'rejected' && answer.reason === 'policy_quality';
    return lowQuality && request.form !== 'plaintext'
      ? { ...answer, reason: 'encoding_not_supported' }
      : answer;
  };
}

/** Returns how the next password is written: as the setting demands, if the server supports that. */
export function wayToWrite(
  { write }: LdapSettings,
  { ways }: Vendor,
  looksHashed: boolean,
): 'exop' | 'modify' {
  // OpenLDAP treats a modify value such as "{SSHA}…" as a hash and stores it unchanged.
  if (looksHashed && ways.includes('exop')) return 'exop';
  return ways.includes(write) ? write : ways[0];
}

const looksLikeHash = (password: Secret) =>
  password.use((bytes) => bytes[0] === 0x7b && bytes.includes(0x7d));

const refused = (request: SetPasswordRequest, vendor: Vendor): Attempted => ({
  ...nothingToRestore(request, vendor),
  answer: { result: 'rejected', reason: 'policy_quality', vendorCode: null },
});
