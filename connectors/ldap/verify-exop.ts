import type { Secret } from '../../model/passwords/secret';
import type { VerifyAnswer } from '../contract';
import type { Link } from './link';
import { serverOf } from './server';

/** "Verify password" of PingDirectory: its value is a JSON object with `dn` and `password`. */
const VERIFY_PASSWORD = '1.3.6.1.4.1.30221.2.6.72';

/** RFC 4511 appendix A.1, as `VerifyPasswordExtendedRequest` of the UnboundID LDAP SDK explains them. */
const meanings: Readonly<Record<number, VerifyAnswer>> = {
  5: { result: 'differs', vendorCode: '5' },
  6: { result: 'holds', proof: 'hash' },
  32: { result: 'inconclusive', reason: 'no_account', vendorCode: '32' },
  // The account has no password.
  48: { result: 'differs', vendorCode: '48' },
};

/**
 * Asks the server to compare: nothing is counted, nothing is locked, and no state keeps it from answering.
 * @returns null where the server cannot be asked, or not by this service account
 */
export async function verifyByExop(
  link: Link,
  dn: string,
  password: Secret,
): Promise<VerifyAnswer | null> {
  const { extensions } = await serverOf(link);
  if (!extensions.has(VERIFY_PASSWORD)) return null;
  const value = requestFor(dn, password);
  const reply = await link
    .ask((client) => client.exop(VERIFY_PASSWORD, value))
    .finally(() => value.fill(0));
  return reply.ok ? null : (meanings[reply.code] ?? null);
}

/** `JSON.stringify` would leave the password in a string. */
function requestFor(dn: string, password: Secret): Buffer {
  const head = Buffer.from(`{"dn":${JSON.stringify(dn)},"password":"`);
  return password.use((bytes) => {
    const size = bytes.reduce((sum, byte) => sum + escapedLength(byte), 0);
    const value = Buffer.alloc(head.length + size + 2);
    let at = head.copy(value);
    for (const byte of bytes) {
      if (escapedLength(byte) === 1) at = value.writeUInt8(byte, at);
      else at += value.write(`\\u00${byte.toString(16).padStart(2, '0')}`, at, 'latin1');
    }
    value.write('"}', at, 'latin1');
    return value;
  });
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** RFC 8259 §7: these, and control characters, are not themselves in a string. */
const escapedLength = (byte: number) =>
  byte < 0x20 || byte === QUOTE || byte === BACKSLASH ? 6 : 1;
