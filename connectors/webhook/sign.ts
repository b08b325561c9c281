import { createHmac } from 'node:crypto';
import type { Secret } from '../../model/passwords/secret';
import { NotSent } from '../http/failures';

const PREFIX = 'whsec_';

/** Minimum length of the secret, as in the specification. A shorter one could be guessed. */
const LEAST_BYTES = 24;

/**
 * Returns the headers of Standard Webhooks 1.0 (standardwebhooks.com), for which most languages have a library. By them a
 * receiver recognizes requests that are not signed, are older than a few minutes, or repeat an id.
 * @param secrets each makes a signature of its own, so that a receiver can accept an old and a new secret at once
 * @param now milliseconds since 1970
 * @throws NotSent if a secret is too short
 */
export function signatureHeaders(
  body: Buffer,
  secrets: readonly Secret[],
  id: string,
  now: number,
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(now / 1000));
  const signatures = secrets.map((secret) => {
    const key = keyOf(secret);
    const hmac = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body);
    key.fill(0);
    return `v1,${hmac.digest('base64')}`;
  });
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
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
