import { type CodeOf, errors } from '../../model/errors';
import type { SourceFailure, VerifyAnswer, WriteAnswer } from '../contract';

/** What went wrong, in the words of `model/errors.ts`. */
export interface SqlFailure {
  readonly reason: SqlReason;
  readonly vendorCode: string | null;
  /** The server said so; else it was lost, and what was sent may have been done. */
  readonly answered: boolean;
}

export type SqlReason =
  | CodeOf<'offline' | 'unknown'>
  | 'no_account'
  | 'no_rights'
  | 'not_supported'
  | 'policy'
  | 'read_only';

/** Nothing was sent, because of our own side. */
export class NoConnection extends Error {
  readonly failure: SqlFailure;

  constructor(reason: SqlReason, vendorCode: string) {
    super(vendorCode);
    this.failure = lost(reason, vendorCode);
  }
}

/** The codes of one vendor; exact ones, or the first characters of many. */
export type Reasons = Readonly<Record<string, SqlReason>>;

export const reasonIn = (reasons: Reasons, code: string, prefix: number): SqlReason =>
  reasons[code] ?? reasons[code.slice(0, prefix)] ?? 'unknown';

/** What TLS in Node, the network, the drivers and our own clock say, whichever the database. */
export function failureOfConnection(error: unknown): SqlFailure {
  if (error instanceof NoConnection) return error.failure;
  const { code, name } = error as { code?: unknown; name?: unknown };
  if (name === 'TimeoutError') return lost('unreachable', 'timeout');
  if (typeof code === 'string')
    return lost(TLS_CODE.test(code) ? 'certificate_refused' : 'unreachable', code);
  // A driver says so, without a code, of a connection that has ended. Anything else is no plain Error.
  return name === 'Error' ? lost('unreachable', 'closed') : lost('unknown', null);
}

const TLS_CODE =
  /^(CERT_|CRL_|DEPTH_ZERO_|ERR_SSL_|ERR_TLS_|HOSTNAME_|INVALID_CA|PATH_LENGTH_|SELF_SIGNED_|UNABLE_TO_)/;

export const lost = (reason: SqlReason, vendorCode: string | null): SqlFailure => ({
  reason,
  vendorCode,
  answered: false,
});

/** @param sent whether the statement that writes was given to the driver */
export function asWriteAnswer(failure: SqlFailure, sent: boolean): WriteAnswer {
  const { reason, vendorCode, answered } = failure;
  if (sent && !answered) return { result: 'ambiguous', vendorCode };
  if (isRejection(reason)) return { result: 'rejected', reason, vendorCode };
  return { result: 'retry', reason, vendorCode };
}

export function asSourceFailure({ reason, vendorCode }: SqlFailure): SourceFailure {
  return { result: 'failed', reason: ofReading(reason), vendorCode };
}

export function asInconclusive({ reason, vendorCode }: SqlFailure): VerifyAnswer {
  return { result: 'inconclusive', reason: ofReading(reason), vendorCode };
}

type Rejection = Extract<SqlReason, CodeOf<'rejected'>>;

const isRejection = (reason: SqlReason): reason is Rejection => errors[reason].retry === 'rejected';

/** Of reading, a refusal that is about writing says only that it is not possible. */
const ofReading = (reason: SqlReason) =>
  reason === 'policy' || reason === 'read_only' ? 'not_supported' : reason;
