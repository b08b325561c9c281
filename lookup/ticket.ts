import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { HttpProblem } from '../api/http/problem';
import { isId } from '../store/ids';
import { KeyStoreUnavailable, type MasterKey } from '../store/worker/keys/key-store';
import type { MasterKeys } from './master-keys';

const ticketSchema = z.strictObject({
  id: z.string(),
  identityId: z.string(),
  /** The API key that requested the ticket. */
  keyId: z.string(),
  application: z.string(),
  expiresAt: z.iso.datetime().transform((at) => new Date(at)),
});

/** What a ticket contains. Only the lookup service can read it. */
export type Ticket = z.output<typeof ticketSchema>;

/** First byte of a ticket: the version of its format. */
const VERSION = 1;
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** The version, and the id of the master key. */
const HEADER_BYTES = 1 + 'key_'.length + 26;

/** Seals a ticket with a key that is derived from a master key, so that every process of the service can open it. */
export function sealTicket(master: MasterKey, ticket: Ticket): string {
  const header = Buffer.concat([Buffer.of(VERSION), Buffer.from(master.id, 'latin1')]);
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', ticketKey(master), iv).setAAD(header);
  const sealed = Buffer.concat([cipher.update(JSON.stringify(ticket)), cipher.final()]);
  return Buffer.concat([header, iv, cipher.getAuthTag(), sealed]).toString('base64url');
}

/**
 * @returns null when the text is not a ticket of this service, was altered, or names a master key that does not exist
 * @throws HttpProblem `keys_away` when its master key cannot be read now
 */
export async function openTicket(keys: MasterKeys, text: string): Promise<Ticket | null> {
  const bytes = Buffer.from(text, 'base64url');
  const header = bytes.subarray(0, HEADER_BYTES);
  const id = header.toString('latin1', 1);
  if (header[0] !== VERSION || !isId('key', id)) return null;
  const iv = bytes.subarray(HEADER_BYTES, HEADER_BYTES + IV_BYTES);
  const sealed = bytes.subarray(HEADER_BYTES + IV_BYTES + TAG_BYTES);
  const master = await keyOf(keys, id);
  if (master === null) return null;
  try {
    const key = ticketKey(master);
    const decipher = createDecipheriv('aes-256-gcm', key, iv)
      .setAAD(header)
      .setAuthTag(bytes.subarray(HEADER_BYTES + IV_BYTES, HEADER_BYTES + IV_BYTES + TAG_BYTES));
    const opened = Buffer.concat([decipher.update(sealed), decipher.final()]);
    return ticketSchema.parse(JSON.parse(opened.toString('utf8')));
  } catch {
    return null;
  }
}

async function keyOf(keys: MasterKeys, id: string): Promise<MasterKey | null> {
  try {
    return await keys.masterKey(id);
  } catch (error) {
    if (error instanceof KeyStoreUnavailable && error.problem !== 'missing')
      throw new HttpProblem('keys_away');
    return null;
  }
}

const ticketKey = ({ key }: MasterKey): Buffer =>
  Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), 'lockstep lookup ticket', 32));
