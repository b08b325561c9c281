import { randomBytes } from 'node:crypto';
import { readSecret, writeEncoded } from '../../model/encoding';
import { Secret } from '../../model/secret';
import { type Passwords, SEED_BYTES } from '../../store/sealing';
import { Refusal } from '../refusal';

/** The passwords of a request, with the seed of their salts. Whoever calls it destroys them. */
export const inPlaintext = (next: Secret, current: Secret | undefined): Passwords => ({
  next,
  current: current ?? null,
  form: 'plaintext',
  seed: Secret.of(randomBytes(SEED_BYTES)),
});

/**
 * A hash in the place of the new password, written as Lockstep writes it.
 * @throws Refusal when it is none that is known here; what it is stays untold
 */
export function asHash(hash: Secret, current: Secret | undefined): Passwords {
  const read = readSecret(hash);
  if (read === null) throw new Refusal('encoding_unknown');
  const next = Secret.fromText(writeEncoded(read));
  return { ...inPlaintext(next, current), form: read.scheme };
}
