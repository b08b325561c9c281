import { type KeyObject, randomBytes } from 'node:crypto';
import { type Form, readSecret } from '../model/hashes/encoding';
import { normalized } from '../model/passwords/normalize';
import { Secret } from '../model/passwords/secret';
import { zeroableBytes } from '../model/passwords/zeroable';
import { type SealingKey, sealPayload, unsealPayload } from './jwe';

/**
 * The change to which sealed passwords belong, on their way from the api to the worker. It is in the protected header,
 * so a sealed row that is moved to another change does not open.
 */
export interface SealedFor {
  readonly changeId: string;
  readonly identityId: string;
  readonly seq: number;
  readonly expiresAt: Date;
}

/** The passwords of one change. */
export interface Passwords {
  /** The new password, or a hash of it. */
  readonly next: Secret;
  /**
   * The new password as the person typed it, if normalization has changed it and an account already holds it so: the
   * origin of a capture.
   */
  readonly typed?: Secret;
  /** The form of `next`. */
  readonly form: Form;
  /** `SEED_BYTES` random bytes, from which the salts of this change are derived. */
  readonly seed: Secret;
  /** The current password, to be verified at the auth account; null when the request had none. */
  readonly current: Secret | null;
}

const FORM_BYTES = 1;
const LENGTH_BYTES = 4;
export const SEED_BYTES = 32;

/** A new password in plaintext, with a fresh seed. The caller destroys it with `destroyPasswords`. */
export const inPlaintext = (next: Secret, current: Secret | null): Passwords => ({
  next,
  current,
  form: 'plaintext',
  seed: Secret.of(randomBytes(SEED_BYTES)),
});

/** @returns the sealed passwords as JWE compact, in ASCII */
export const seal = (
  key: SealingKey,
  sealedFor: SealedFor,
  passwords: Passwords,
): Promise<Buffer> => sealPayload(key, headerOf(sealedFor), pack(passwords));

/**
 * Opens the passwords of a change. The caller destroys them with `destroyPasswords`.
 * @throws Error when they were sealed for another change, were tampered with, or were sealed to another key
 */
export const unseal = (
  jwe: Buffer,
  privateKey: KeyObject,
  sealedFor: SealedFor,
): Promise<Passwords> =>
  unsealPayload(jwe, privateKey, (members, payload) => {
    for (const [name, value] of Object.entries(headerOf(sealedFor)))
      if (members[name] !== value)
        throw new Error(`The sealed password is not for this change: ${name} differs`);
    return unpack(payload);
  });

const headerOf = ({ changeId, identityId, seq, expiresAt }: SealedFor) => ({
  cid: changeId,
  sub: identityId,
  seq,
  exp: expiresAt.getTime(),
});

const PLAINTEXT = 0;
const HASH = 1;
/** A plaintext that is followed by the password as it was typed. */
const PLAINTEXT_AND_TYPED = 2;

/**
 * Layout: form, length of the new password, seed, the new password, then the length and the bytes of the typed password
 * if the form says so, then the current password if there is one.
 */
function pack({ next, typed, current, form, seed }: Passwords): Buffer {
  const kind = form !== 'plaintext' ? HASH : typed === undefined ? PLAINTEXT : PLAINTEXT_AND_TYPED;
  const parts = [
    Secret.of(Buffer.from([kind])),
    lengthOf(next),
    ...[seed, next],
    ...(typed === undefined ? [] : [lengthOf(typed), typed]),
    ...(current === null ? [] : [current]),
  ];
  const size = parts.reduce((sum, part) => sum + part.use(({ length }) => length), 0);
  const payload = zeroableBytes(size);
  let at = 0;
  for (const part of parts) at += part.use((bytes) => bytes.copy(payload, at));
  return payload;
}

function lengthOf(secret: Secret): Secret {
  const bytes = zeroableBytes(LENGTH_BYTES);
  bytes.writeUInt32BE(secret.use(({ length }) => length));
  return Secret.of(bytes);
}

function unpack(payload: Buffer): Passwords {
  const seed = FORM_BYTES + LENGTH_BYTES;
  const next = seed + SEED_BYTES;
  const end = next + payload.readUInt32BE(FORM_BYTES);
  const copy = (from: number, to: number) => Secret.of(Buffer.from(payload.subarray(from, to)));
  const password = copy(next, end);
  const kind = payload.readUInt8(0);
  const typed = end + LENGTH_BYTES;
  const current = kind === PLAINTEXT_AND_TYPED ? typed + payload.readUInt32BE(end) : end;
  return {
    next: password,
    ...(kind === PLAINTEXT_AND_TYPED && { typed: copy(typed, current) }),
    form: formOf(kind, password),
    seed: copy(seed, next),
    // A password is never empty, so an end after the other passwords means that there is no current one.
    current: current < payload.length ? copy(current, payload.length) : null,
  };
}

function formOf(kind: number, password: Secret): Form {
  if (kind === PLAINTEXT || kind === PLAINTEXT_AND_TYPED) return 'plaintext';
  const encoded = kind === HASH ? readSecret(password) : null;
  if (encoded === null) throw new Error('The sealed password is in a form that is not known here');
  return encoded.scheme;
}

export function destroyPasswords(passwords: Passwords): void {
  passwords.next.destroy();
  passwords.typed?.destroy();
  passwords.seed.destroy();
  passwords.current?.destroy();
}

/**
 * Returns the passwords of a change with a normalized new password (`model/passwords/normalize.ts`). A hash stays as it
 * is. The other secrets are shared with `passwords`; the caller destroys `next`.
 * @param isHeld whether an account already holds the new password as it was typed
 */
export function withNormalized(passwords: Passwords, isHeld: boolean): Passwords {
  const { next: typed, form } = passwords;
  const next = form === 'plaintext' ? normalized(typed) : typed.copy();
  return { ...passwords, next, ...(isHeld && !next.equals(typed) && { typed }) };
}
