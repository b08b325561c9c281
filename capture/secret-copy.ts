import { Secret } from '../model/passwords/secret';
import { zeroableBytes } from '../model/passwords/zeroable';

/** A secret with a copy of the bytes. The caller zeroes the original. */
export function secretFrom(bytes: Buffer): Secret {
  const copy = zeroableBytes(bytes.length);
  bytes.copy(copy);
  return Secret.of(copy);
}
