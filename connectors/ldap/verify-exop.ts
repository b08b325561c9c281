import type { Secret } from '../../model/passwords/secret';
import { zeroableBytes } from '../../model/passwords/zeroable';
import type { VerifyAnswer } from '../contract';
import type { Link } from './link';
import { serverOf } from './server';

/** OID of "verify password" of PingDirectory. Its value is a JSON object with `dn` and `password`. */
const VERIFY_PASSWORD = '1.3.6.1.4.1.30221.2.6.72';

/** Answers by result code (RFC 4511 appendix A.1). Source: `VerifyPasswordExtendedRequest` of the UnboundID LDAP SDK. */
const meanings: Readonly<Record<number, VerifyAnswer>> = {
  5: { result: 'differs', vendorCode: '5' },
  6: { result: 'holds', proof: 'hash' },
  32: { result: 'inconclusive', reason: 'no_account', vendorCode: '32' },
  // The account has no password.
  48: { result: 'differs', vendorCode: '48' },
};

/**
 * Lets the server compare the password. That counts no failed login and locks nothing, and the server answers whatever
 * the state of the account.
 * @returns null if the server does not support this, or not for this service account
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

/** Builds the JSON in a buffer, because `JSON.stringify` would leave the password in a string. The caller zeroes it. */
function requestFor(dn: string, password: Secret): Buffer {
  const head = Buffer.from(`{"dn":${JSON.stringify(dn)},"password":"`);
  return password.use((bytes) => {
    const size = bytes.reduce((sum, byte) => sum + escapedLength(byte), 0);
    const value = zeroableBytes(head.length + size + 2);
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
/** Bytes that a byte of the password takes in JSON. RFC 8259 §7 escapes quotes, backslashes and control characters. */
const escapedLength = (byte: number) =>
  byte < 0x20 || byte === QUOTE || byte === BACKSLASH ? 6 : 1;
