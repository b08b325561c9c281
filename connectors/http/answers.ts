import { type CodeOf, errors } from '../../model/errors';
import type { SourceFailure, VerifyAnswer, WriteAnswer } from '../contract';
import type { HttpReply } from './client';
import { NoReply, NotSent } from './failures';
import { retryAfterMs } from './retry-after';
import type { Success } from './success';

/** A failed request, translated into a code of `model/errors.ts`. */
export interface HttpFailure {
  readonly reason: CodeOf<'offline' | 'unknown' | 'rejected'>;
  readonly vendorCode: string | null;
  readonly retryAfterMs: number | null;
  /** Whether the request was certainly not carried out. If false, the server may have carried it out. */
  readonly refused: boolean;
}

/** Translates the vendor's code in a reply. Null if the table does not contain it. */
export type Classify = (reply: HttpReply) => Verdict | null;

export interface Verdict {
  readonly reason: HttpFailure['reason'];
  /** From a closed list or of a strict shape, because any other text of a server may repeat a password. */
  readonly vendorCode: string;
}

/** Meanings of HTTP statuses (RFC 9110 §15), for replies that the vendor's table does not contain. */
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
 * Translates a reply whose status is not that of a success. A 503 with Retry-After means that the server has not carried
 * out the request. Any other 5xx may come from a proxy that has lost the reply of the server. Only the body of an error
 * is classified, because any other body proves nothing.
 */
function failureOfReply(reply: HttpReply, classify: Classify): HttpFailure {
  const { status } = reply;
  const wait = retryAfterMs(reply, Date.now());
  const verdict = status >= 400 ? classify(reply) : null;
  const redirect = status >= 300 && status < 400;
  return {
    reason: verdict?.reason ?? ofStatus[status] ?? 'unknown',
    vendorCode: verdict?.vendorCode ?? `${redirect ? 'redirect_' : ''}${status}`,
    retryAfterMs: wait,
    refused: status >= 300 && (status < 500 || (status === 503 && wait !== null)),
  };
}

/** The reply of the server is not the documented success response. */
export class HttpRefused extends Error {
  readonly failure: HttpFailure;

  constructor(failure: HttpFailure) {
    super('refused');
    this.failure = failure;
  }
}

/** The status is that of a success, and the body is not. The server may have carried out the request. */
export const malformedReply: HttpFailure = {
  reason: 'unknown',
  vendorCode: 'malformed',
  retryAfterMs: null,
  refused: false,
};

/** Returns the value of a documented success response. @throws HttpRefused for any other reply */
export function valueIn<T>(reply: HttpReply, success: Success<T>, classify: Classify): T {
  const body = success[reply.status];
  if (body === undefined) throw new HttpRefused(failureOfReply(reply, classify));
  const read = body(reply);
  if (read === null) throw new HttpRefused(malformedReply);
  return read.value;
}

/** Returns null if the server refuses the request for this reason. */
export async function nullIf<T>(
  reason: HttpFailure['reason'],
  request: Promise<T>,
): Promise<T | null> {
  try {
    return await request;
  } catch (error) {
    if (error instanceof HttpRefused && error.failure.reason === reason) return null;
    throw error;
  }
}

/** Translates an error of a request. @throws any other error, which is a bug of the connector */
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

/** Translates a failure into the answer to a write. @param sent whether the request that writes failed, not one before it */
export function asWriteAnswer(failure: HttpFailure, sent: boolean): WriteAnswer {
  const { reason, vendorCode, refused } = failure;
  if (sent && !refused) return { result: 'ambiguous', vendorCode };
  if (isRejection(reason)) return { result: 'rejected', reason, vendorCode };
  return { result: 'retry', reason, vendorCode, ...waiting(failure) };
}

export function asSourceFailure(failure: HttpFailure): SourceFailure {
  const { reason, vendorCode } = failure;
  return { result: 'failed', reason: reasonForRead(reason), vendorCode, ...waiting(failure) };
}

export function asInconclusive({ reason, vendorCode }: HttpFailure): VerifyAnswer {
  return { result: 'inconclusive', reason: reasonForRead(reason), vendorCode };
}

const waiting = ({ retryAfterMs }: HttpFailure) => (retryAfterMs === null ? {} : { retryAfterMs });

type Rejection = CodeOf<'rejected'>;

const isRejection = (reason: HttpFailure['reason']): reason is Rejection =>
  errors[reason].retry === 'rejected';

/** Maps a reason that is only about writes to `not_supported`, because it has no meaning for a read. */
const reasonForRead = (reason: HttpFailure['reason']) =>
  isRejection(reason) && reason !== 'no_rights' && reason !== 'no_account'
    ? 'not_supported'
    : reason;
