import { type KeyObject, randomBytes } from 'node:crypto';
import { type Form, readSecret } from '../model/hashes/encoding';
import { Secret } from '../model/passwords/secret';
import { type SealingKey, sealPayload, unsealPayload } from './jwe';

/**
 * Passwords in transit between the api and the worker. Whom and what they are for stands in the protected header, so a row
 * that is moved to another change does not open.
 */
export interface SealedFor {
  readonly changeId: string;
  readonly identityId: string;
  readonly seq: number;
  readonly expiresAt: Date;
}

export interface Passwords {
  readonly next: Secret;
  /** Of `next`. */
  readonly form: Form;
  /** `SEED_BYTES` of random, from which the salts of this change follow. */
  readonly seed: Secret;
  /** The current password, when the request brought one to be validated on the auth account. */
  readonly current: Secret | null;
}

const FORM_BYTES = 1;
const LENGTH_BYTES = 4;
export const SEED_BYTES = 32;

/** As it was typed, with a seed of its own. Whoever calls it destroys them. */
export const inPlaintext = (next: Secret, current: Secret | null): Passwords => ({
  next,
  current,
  form: 'plaintext',
  seed: Secret.of(randomBytes(SEED_BYTES)),
});

export const seal = (
  key: SealingKey,
  sealedFor: SealedFor,
  passwords: Passwords,
): Promise<Buffer> => sealPayload(key, headerOf(sealedFor), pack(passwords));

/**
 * Whoever calls it destroys what it returns.
 * @throws Error when it was sealed for something else, was tampered with, or the key is another one
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

/** Form, seed, length of the new password, the new password, then the current one if there is one. */
function pack({ next, current, form, seed }: Passwords): Buffer {
  const begin = Buffer.alloc(FORM_BYTES + LENGTH_BYTES);
  begin.writeUInt8(form === 'plaintext' ? PLAINTEXT : HASH);
  begin.writeUInt32BE(
    next.use(({ length }) => length),
    FORM_BYTES,
  );
  const secrets = [seed, next, ...(current === null ? [] : [current])];
  const size = secrets.reduce((sum, one) => sum + one.use(({ length }) => length), begin.length);
  const payload = Buffer.concat([begin], size);
  let at = begin.length;
  for (const secret of secrets) at += secret.use((bytes) => bytes.copy(payload, at));
  return payload;
}

function unpack(payload: Buffer): Passwords {
  const seed = FORM_BYTES + LENGTH_BYTES;
  const next = seed + SEED_BYTES;
  const end = next + payload.readUInt32BE(FORM_BYTES);
  const copy = (from: number, to: number) => Secret.of(Buffer.from(payload.subarray(from, to)));
  const password = copy(next, end);
  return {
    next: password,
    form: formOf(payload.readUInt8(0), password),
    seed: copy(seed, next),
    // A password is never empty, so nothing after the first means that there is no second.
    current: end < payload.length ? copy(end, payload.length) : null,
  };
}

function formOf(kind: number, password: Secret): Form {
  if (kind === PLAINTEXT) return 'plaintext';
  const encoded = kind === HASH ? readSecret(password) : null;
  if (encoded === null) throw new Error('What was sealed is in a form that is not known here');
  return encoded.scheme;
}

export function destroyPasswords(passwords: Passwords): void {
  passwords.next.destroy();
  passwords.seed.destroy();
  passwords.current?.destroy();
}
