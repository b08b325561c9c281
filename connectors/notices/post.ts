import type { DeliveryReason, Sent } from '../../model/notices/retry';
import { newCall } from '../http/api';
import type { HttpClient, HttpReply } from '../http/client';
import { NoReply, NotSent } from '../http/failures';
import { retryAfterMs } from '../http/retry-after';

/** A request to the receiver of notices. */
export interface Post {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Posts a notice and classifies what came back. A request whose reply was lost is repeated under the same id. */
export async function post(http: HttpClient, request: Post): Promise<Sent> {
  try {
    return sentBy(await http.send({ method: 'POST', ...request }, newCall()));
  } catch (error) {
    if (error instanceof NotSent) return retry(ofReason[error.reason] ?? 'receiver_unreachable');
    if (error instanceof NoReply) return retry('receiver_unreachable');
    throw error;
  }
}

const ofReason: Readonly<Record<string, DeliveryReason>> = {
  certificate_refused: 'certificate_refused',
  service_credential_refused: 'credential_refused',
};

/** Only a status of 2xx is success (Standard Webhooks; RFC 8935 §2.2). */
function sentBy(reply: HttpReply): Sent {
  const { status } = reply;
  if (status >= 200 && status < 300) return { result: 'delivered' };
  if (status === 410) return { result: 'gone', reason: 'endpoint_gone' };
  const afterMs = retryAfterMs(reply, Date.now());
  if (status >= 300 && status < 400) return retry('redirected', afterMs);
  if (status === 401 || status === 403) return retry('credential_refused', afterMs);
  if (status === 408 || status === 425 || status === 429 || status === 503)
    return retry('receiver_busy', afterMs);
  return retry('receiver_failed', afterMs);
}

const retry = (reason: DeliveryReason, afterMs: number | null = null): Sent => ({
  result: 'retry',
  reason,
  afterMs,
});
