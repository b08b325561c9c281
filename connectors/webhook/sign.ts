import { createHmac } from 'node:crypto';
import type { Secret } from '../../model/passwords/secret';
import { NotSent } from '../http/failures';

const PREFIX = 'whsec_';

/** Shorter ones can be guessed; the same limit as in the specification. */
const LEAST_BYTES = 24;

/**
 * The headers of Standard Webhooks 1.0 (standardwebhooks.com), for which every language has a library: a receiver refuses
 * what is not signed, what is older than a few minutes, and an id that it has seen.
 * @param now milliseconds since 1970
 * @throws NotSent when the secret is none
 */
export function signatureHeaders(
  body: Buffer,
  secret: Secret,
  id: string,
  now: number,
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(now / 1000));
  const key = keyOf(secret);
  const hmac = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body);
  key.fill(0);
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${hmac.digest('base64')}`,
  };
}

function keyOf(secret: Secret): Buffer {
  const key = secret.use((bytes) =>
    bytes.subarray(0, PREFIX.length).equals(Buffer.from(PREFIX))
      ? Buffer.from(bytes.subarray(PREFIX.length).toString('latin1'), 'base64')
      : Buffer.from(bytes),
  );
  if (key.length < LEAST_BYTES) throw new NotSent('service_credential_refused', 'too_short');
  return key;
}
