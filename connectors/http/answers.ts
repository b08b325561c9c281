import { type CodeOf, errors } from '../../model/errors';
import type { SourceFailure, VerifyAnswer, WriteAnswer } from '../contract';
import type { HttpReply } from './client';
import { NoReply, NotSent } from './failures';
import { retryAfterMs } from './retry-after';
import { isJson, type Success } from './success';

/** A failed request, translated into a code of `model/errors.ts`. */
export interface HttpFailure {
  readonly reason: CodeOf<'offline' | 'unknown' | 'rejected'>;
  readonly vendorCode: string | null;
  readonly retryAfterMs: number | null;
  /** Whether the request was certainly not carried out. If false, the server may have carried it out. */
  readonly refused: boolean;
}

/**
 * Translates the error document of the vendor in a reply. `other` for a document whose code the table does not contain.
 * Null for a reply that is no error document of the vendor: it may come from a proxy, so it says nothing about the account.
 */
export type Classify = (reply: HttpReply) => Verdict | 'other' | null;

export interface Verdict {
  readonly reason: HttpFailure['reason'];
  /** From a closed list or of a strict shape, because any other text of a server may repeat a password. */
  readonly vendorCode: string;
}

/** Meanings of HTTP statuses (RFC 9110 §15) that hold whichever server on the way has sent them. */
const ofTransport: Readonly<Record<number, HttpFailure['reason']>> = {
  408: 'busy',
  409: 'account_in_use',
  412: 'account_in_use',
  429: 'throttled',
  502: 'busy',
  503: 'busy',
  504: 'busy',
};

/** Meanings of HTTP statuses in an error document of the vendor whose code the table does not contain. */
const ofStatus: typeof ofTransport = {
  ...ofTransport,
  401: 'service_credential_refused',
  403: 'no_rights',
  404: 'no_account',
  423: 'account_locked',
};

/** Statuses with which a server refuses a request before it looks at it. */
export const UNREAD: readonly number[] = [408, 429];

/** Prefix of a vendor code of our own: the body of the refusal is not the error document of the vendor. */
export const FOREIGN = 'foreign_';

/**
 * Whether an error is not in the document of the vendor. It may be the page of a proxy, which may have replaced the reply
 * of the server.
 */
export const isForeign = (reply: HttpReply, classify: Classify): boolean =>
  reply.status >= 400 && !reply.isEmpty && !(isJson(reply) && classify(reply) !== null);

/**
 * Translates a reply whose status is not that of a success. A 503 with Retry-After means that the server has not carried
 * out the request. Any other 5xx may come from a proxy that has lost the reply of the server.
 */
function failureOfReply(reply: HttpReply, classify: Classify): HttpFailure {
  const { status } = reply;
  const wait = retryAfterMs(reply, Date.now());
  const documented = status >= 400 && isJson(reply) ? classify(reply) : null;
  const verdict = documented === 'other' ? null : documented;
  const foreign = isForeign(reply, classify);
  const redirect = status >= 300 && status < 400;
  const prefix = redirect ? 'redirect_' : foreign ? FOREIGN : '';
  const isRefusal = status >= 300 && status < 500 && (!foreign || UNREAD.includes(status));
  return {
    reason: verdict?.reason ?? reasonBy(reply, documented !== null),
    vendorCode: verdict?.vendorCode ?? `${prefix}${status}`,
    retryAfterMs: wait,
    refused: isRefusal || (status === 503 && wait !== null),
  };
}

function reasonBy({ status, header }: HttpReply, isDocumented: boolean): HttpFailure['reason'] {
  if (isDocumented) return ofStatus[status] ?? 'unknown';
  // RFC 6750 §3: an API refuses a token with this header, and some send no document.
  const refusesToken = status === 401 && /^bearer\b/i.test(header('www-authenticate') ?? '');
  return refusesToken ? 'service_credential_refused' : (ofTransport[status] ?? 'unknown');
}

/** The reply of the server is not the documented success response. */
export class HttpRefused extends Error {
  readonly failure: HttpFailure;
  /** HTTP status of the reply. Null if no single reply was refused. */
  readonly status: number | null;

  constructor(failure: HttpFailure, status: number | null = null) {
    super('refused');
    this.failure = failure;
    this.status = status;
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
  if (body === undefined) throw new HttpRefused(failureOfReply(reply, classify), reply.status);
  const read = body(reply);
  if (read === null) throw new HttpRefused(malformedReply, reply.status);
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

/**
 * The result of a look-up that not every server offers. Null if the server refuses it, with whatever body: many servers
 * answer an address that they do not know with an empty body or a page.
 */
export async function ifOffered<T>(request: Promise<T>): Promise<T | null> {
  try {
    return await request;
  } catch (error) {
    if (error instanceof HttpRefused && isNotOffered(error.status)) return null;
    throw error;
  }
}

/** Whether the status is about the request. 401 and 429 are about the token and the moment, so another answer may follow. */
const isNotOffered = (status: number | null): boolean =>
  status === 501 ||
  (status !== null && status >= 400 && status < 500 && ![401, ...UNREAD].includes(status));

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
