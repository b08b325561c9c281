import { Attribute, BerWriter, Change, type Control } from 'ldapts';
import type { Secret } from '../../model/passwords/secret';
import type { AccountRef, WriteAnswer } from '../contract';
import type { Use } from './dialect';
import { NoReply, NotSent } from './failures';
import type { LdapRefusal, Link, Reply } from './link';

/** OID of the extended operation of RFC 3062, and the tags of its fields. */
const PASSWORD_MODIFY = '1.3.6.1.4.1.4203.1.11.1';
const USER_IDENTITY_TAG = 0x80;
const NEW_PASSWORD_TAG = 0x82;

/** Upper limit for the bytes of the tags and lengths around name and password. */
const BER_OVERHEAD = 32;

export const replace = (attribute: string, ...values: string[]): Change =>
  new Change({
    operation: 'replace',
    modification: new Attribute({ type: attribute, values }),
  });

export const change = (link: Link, dn: string, changes: readonly Change[]): Promise<Reply<void>> =>
  link.ask((client) => client.modify(dn, [...changes]));

/** Writes a password by the extended operation of RFC 3062. It zeroes the request when the reply has arrived. */
export async function sendExop(
  link: Link,
  dn: string,
  password: Secret,
  controls: Control[],
): Promise<Reply<unknown>> {
  const value = password.use((bytes) => {
    // The buffer is large enough from the start, because a writer that grows leaves copies behind.
    const writer = new BerWriter({ size: Buffer.byteLength(dn) + bytes.length + BER_OVERHEAD });
    writer.startSequence();
    writer.writeString(dn, USER_IDENTITY_TAG);
    writer.writeBuffer(bytes, NEW_PASSWORD_TAG);
    writer.endSequence();
    return writer.buffer;
  });
  return link
    .ask((client) => client.exop(PASSWORD_MODIFY, value, controls))
    .finally(() => value.fill(0));
}

/**
 * Writes a password by a modify request.
 * @param value the bytes of the password; zeroed when the reply has arrived
 * @param more further changes of the same request
 */
export function sendModify(
  link: Link,
  dn: string,
  attribute: string,
  value: Buffer,
  more: readonly Change[] = [],
  controls: Control[] = [],
): Promise<Reply<void>> {
  const written = new Change({
    operation: 'replace',
    modification: new Attribute({ type: attribute, values: [value] }),
  });
  return link
    .ask((client) => client.modify(dn, [written, ...more], controls))
    .finally(() => value.fill(0));
}

/** Returns null if no reply came. It is then unknown whether the server carried out the request. */
export async function replyOrNull<T>(request: Promise<T>): Promise<T | null> {
  try {
    return await request;
  } catch (error) {
    if (error instanceof NoReply) return null;
    throw error;
  }
}

/** Translates the reply to the request that writes the password. @param reply null if none came */
export function answerOf(
  reply: Reply<unknown> | null,
  classify: (refusal: LdapRefusal) => WriteAnswer,
): WriteAnswer {
  if (reply === null) return { result: 'ambiguous', vendorCode: null };
  return reply.ok ? { result: 'applied' } : classify(reply);
}

/** Adds to a successful answer which account was written. */
export const named = (answer: WriteAnswer, account: AccountRef): WriteAnswer =>
  answer.result === 'applied' || answer.result === 'already_current'
    ? { ...answer, account }
    : answer;

/** Number of attempts for a request that must follow a write. */
const ATTEMPTS = 2;

/** Runs a request that must follow a write, again on another link if the first one is lost. @returns whether it ran */
export async function retryOnLoss(use: Use, body: (link: Link) => Promise<void>): Promise<boolean> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      await use(body);
      return true;
    } catch (error) {
      if (!(error instanceof NotSent || error instanceof NoReply)) throw error;
    }
  }
  return false;
}
