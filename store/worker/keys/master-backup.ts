import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto';
import { z } from 'zod';
import { Misconfigured } from '../../../config';
import type { Secret } from '../../../model/passwords/secret';

/** A master key as a backup holds it. */
export interface SavedKey {
  readonly id: string;
  readonly bytes: Buffer;
}

/** OWASP Password Storage Cheat Sheet: N=2^17, r=8, p=1, which takes 128 MiB. */
const SCRYPT = { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * 1024 * 1024 } as const;
const FORMAT = 'lockstep-master-keys-1';
const ID = /^key_[0-9a-z]{26}$/;
const base64 = z.base64().transform((text) => Buffer.from(text, 'base64'));
const backupSchema = z.strictObject({
  format: z.literal(FORMAT),
  salt: base64,
  iv: base64.refine(({ length }) => length === 12),
  tag: base64.refine(({ length }) => length === 16),
  sealed: base64,
});
const keysSchema = z.array(
  z.strictObject({ id: z.string().regex(ID), bytes: base64.refine(({ length }) => length === 32) }),
);

/** Seals master keys with a passphrase (scrypt, AES-256-GCM). @returns the content of the backup file */
export function sealBackup(keys: readonly SavedKey[], passphrase: Secret): string {
  const [salt, iv] = [randomBytes(16), randomBytes(12)];
  const cipher = createCipheriv('aes-256-gcm', derive(passphrase, salt), iv).setAAD(
    Buffer.from(FORMAT),
  );
  const plain = JSON.stringify(
    keys.map(({ id, bytes }) => ({ id, bytes: bytes.toString('base64') })),
  );
  const sealed = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
  const parts = { salt, iv, tag: cipher.getAuthTag(), sealed };
  const texts = Object.entries(parts).map(([name, part]) => [name, part.toString('base64')]);
  return `${JSON.stringify({ format: FORMAT, ...Object.fromEntries(texts) })}\n`;
}

/** @throws Misconfigured when the text is no backup, was altered, or has another passphrase */
export function openBackup(text: string, passphrase: Secret): SavedKey[] {
  const backup = parsed(text);
  try {
    const key = derive(passphrase, backup.salt);
    const decipher = createDecipheriv('aes-256-gcm', key, backup.iv)
      .setAAD(Buffer.from(FORMAT))
      .setAuthTag(backup.tag);
    const plain = Buffer.concat([decipher.update(backup.sealed), decipher.final()]);
    return keysSchema.parse(JSON.parse(plain.toString('utf8')));
  } catch {
    // The error of the parser would quote the keys, so it is not passed on.
    throw new Misconfigured('The passphrase is wrong, or the backup was altered.');
  }
}

function parsed(text: string): z.output<typeof backupSchema> {
  try {
    return backupSchema.parse(JSON.parse(text));
  } catch {
    throw new Misconfigured(
      'The file is not a backup that "lockstep sso secret backup" has written.',
    );
  }
}

const derive = (passphrase: Secret, salt: Buffer): Buffer =>
  passphrase.use((bytes) => scryptSync(bytes, salt, 32, SCRYPT));
