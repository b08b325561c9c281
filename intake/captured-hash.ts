import { readSecret, writeEncoded } from '../model/hashes/encoding';
import { Secret } from '../model/passwords/secret';
import { inPlaintext, type Passwords } from '../sealing/passwords';
import { IntakeRejected } from './rejected';

/**
 * A hash in the place of the new password, written as Lockstep writes it.
 * @throws IntakeRejected when it is none that is known here; what it is stays untold
 */
export function asHash(hash: Secret, current: Secret | null): Passwords {
  const read = readSecret(hash);
  if (read === null) throw new IntakeRejected('encoding_unknown');
  const next = Secret.fromText(writeEncoded(read));
  return { ...inPlaintext(next, current), form: read.scheme };
}
