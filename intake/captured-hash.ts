import { readSecret, writeEncoded } from '../model/hashes/encoding';
import { Secret } from '../model/passwords/secret';
import { inPlaintext, type Passwords } from '../sealing/passwords';
import { IntakeRejected } from './rejected';

/**
 * The passwords of a change whose new password is a captured hash, in the canonical text of its scheme.
 * @throws IntakeRejected `encoding_unknown` when the text is not a known hash; the error does not repeat it
 */
export function asHash(hash: Secret, current: Secret | null): Passwords {
  const read = readSecret(hash);
  if (read === null) throw new IntakeRejected('encoding_unknown');
  const next = Secret.fromText(writeEncoded(read));
  return { ...inPlaintext(next, current), form: read.scheme };
}
