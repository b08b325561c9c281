import { Attribute, BerWriter, Change, type Control } from 'ldapts';
import type { Secret } from '../../model/passwords/secret';
import type { WriteAnswer } from '../contract';
import type { Use } from './dialect';
import { type LdapRefusal, type Link, NoReply, NotSent, type Reply } from './link';

/** RFC 3062. */
const PASSWORD_MODIFY = '1.3.6.1.4.1.4203.1.11.1';
const USER_IDENTITY_TAG = 0x80;
const NEW_PASSWORD_TAG = 0x82;

/** Tags and lengths around name and password. */
const BER_OVERHEAD = 32;

export const replace = (attribute: string, ...values: string[]): Change =>
  new Change({
    operation: 'replace',
    modification: new Attribute({ type: attribute, values }),
  });

export const change = (link: Link, dn: string, changes: readonly Change[]): Promise<Reply<void>> =>
  link.ask((client) => client.modify(dn, [...changes]));

export async function sendExop(
  link: Link,
  dn: string,
  password: Secret,
  controls: Control[],
): Promise<Reply<unknown>> {
  const value = password.use((bytes) => {
    // Large enough from the start: a writer that grows leaves copies behind.
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

/** @param value is zeroed when the reply is there */
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

/** Null when no reply came: then nobody knows whether the request was served. */
export async function heard<T>(request: Promise<T>): Promise<T | null> {
  try {
    return await request;
  } catch (error) {
    if (error instanceof NoReply) return null;
    throw error;
  }
}

/** What a reply to the request that writes the password, or its loss, means. */
export function answerOf(
  reply: Reply<unknown> | null,
  classify: (refusal: LdapRefusal) => WriteAnswer,
): WriteAnswer {
  if (reply === null) return { result: 'ambiguous', vendorCode: null };
  return reply.ok ? { result: 'applied' } : classify(reply);
}

/** Tries for what has to follow a write. */
const TRIES = 2;

/** Does what has to follow a write, on another link when the first one is lost. @returns whether it came through */
export async function insist(use: Use, body: (link: Link) => Promise<void>): Promise<boolean> {
  for (let tries = 0; tries < TRIES; tries++) {
    try {
      await use(body);
      return true;
    } catch (error) {
      if (!(error instanceof NotSent || error instanceof NoReply)) throw error;
    }
  }
  return false;
}
