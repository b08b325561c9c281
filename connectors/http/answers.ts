import type { z } from 'zod';
import { type CodeOf, errors } from '../../model/errors';
import type { SourceFailure, VerifyAnswer, WriteAnswer } from '../contract';
import type { HttpReply } from './client';
import { NoReply, NotSent } from './failures';
import { retryAfterMs } from './retry-after';

/** What went wrong, in the words of `model/errors.ts`. */
export interface HttpFailure {
  readonly reason: CodeOf<'offline' | 'unknown' | 'rejected'>;
  readonly vendorCode: string | null;
  readonly retryAfterMs: number | null;
  /** It was not done, for sure; else what was sent may have been done. */
  readonly refused: boolean;
}

/** What the vendor's own code in a reply means; null where the table does not know it. */
export type Classify = (reply: HttpReply) => Verdict | null;

export interface Verdict {
  readonly reason: HttpFailure['reason'];
  /** From a closed list or of a strict shape: whatever else a server says may echo a password. */
  readonly vendorCode: string;
}

/** What a status means of itself (RFC 9110 §15), where the vendor's table does not know better. */
const ofStatus: Readonly<Record<number, HttpFailure['reason']>> = {
  401: 'service_credential_refused',
  403: 'no_rights',
  404: 'no_account',
  408: 'busy',
  409: 'account_in_use',
  412: 'account_in_use',
  423: 'account_locked',
  429: 'throttled',
  502: 'busy',
  503: 'busy',
  504: 'busy',
};

/**
 * A server that says "not now, but then" has not done it. Any other 5xx may come from something in front of the server,
 * that has lost what the server did.
 */
export function failureOfReply(reply: HttpReply, classify: Classify): HttpFailure {
  const { status } = reply;
  const wait = retryAfterMs(reply, Date.now());
  const verdict = classify(reply);
  const redirect = status >= 300 && status < 400;
  return {
    reason: verdict?.reason ?? ofStatus[status] ?? 'unknown',
    vendorCode: verdict?.vendorCode ?? `${redirect ? 'redirect_' : ''}${status}`,
    retryAfterMs: wait,
    refused: status >= 300 && (status < 500 || (status === 503 && wait !== null)),
  };
}

/** The server said no to a request that only reads. */
export class HttpRefused extends Error {
  readonly failure: HttpFailure;

  constructor(failure: HttpFailure) {
    super('refused');
    this.failure = failure;
  }
}

/** @throws HttpRefused for whatever is no 200 */
export function accepted(reply: HttpReply, classify: Classify): HttpReply {
  if (reply.status !== 200) throw new HttpRefused(failureOfReply(reply, classify));
  return reply;
}

/** @throws HttpRefused when the reply is not what the vendor publishes */
export function shaped<T>(schema: z.ZodType<T>, { json }: HttpReply): T {
  const read = schema.safeParse(json);
  if (read.success) return read.data;
  throw new HttpRefused({
    reason: 'unknown',
    vendorCode: 'malformed',
    retryAfterMs: null,
    refused: true,
  });
}

/** @throws whatever else it is: the connector is wrong then */
export function failureOf(error: unknown): HttpFailure {
  if (error instanceof HttpRefused) return error.failure;
  if (error instanceof NotSent) {
    const { reason, vendorCode, retryAfterMs } = error;
    return { reason, vendorCode, retryAfterMs, refused: true };
  }
  if (!(error instanceof NoReply)) throw error;
  const { vendorCode } = error;
  return { reason: 'unreachable', vendorCode, retryAfterMs: null, refused: false };
}

/** @param sent whether it is the failure of the request that writes, and not of one before it */
export function asWriteAnswer(failure: HttpFailure, sent: boolean): WriteAnswer {
  const { reason, vendorCode, refused } = failure;
  if (sent && !refused) return { result: 'ambiguous', vendorCode };
  if (isRejection(reason)) return { result: 'rejected', reason, vendorCode };
  return { result: 'retry', reason, vendorCode, ...waiting(failure) };
}

export function asSourceFailure(failure: HttpFailure): SourceFailure {
  const { reason, vendorCode } = failure;
  return { result: 'failed', reason: ofReading(reason), vendorCode, ...waiting(failure) };
}

export function asInconclusive({ reason, vendorCode }: HttpFailure): VerifyAnswer {
  return { result: 'inconclusive', reason: ofReading(reason), vendorCode };
}

const waiting = ({ retryAfterMs }: HttpFailure) => (retryAfterMs === null ? {} : { retryAfterMs });

type Rejection = CodeOf<'rejected'>;

const isRejection = (reason: HttpFailure['reason']): reason is Rejection =>
  errors[reason].retry === 'rejected';

/** Of reading, a refusal that is about writing says only that it is not possible. */
const ofReading = (reason: HttpFailure['reason']) =>
  isRejection(reason) && reason !== 'no_rights' && reason !== 'no_account'
    ? 'not_supported'
    : reason;
