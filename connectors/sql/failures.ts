import { type CodeOf, errors } from '../../model/errors';
import type { SourceFailure, VerifyAnswer, WriteAnswer } from '../contract';
import { HashingFailed } from '../hashing';

/** A failed statement or connection, translated into a code of `model/errors.ts`. */
export interface SqlFailure {
  readonly reason: SqlReason;
  readonly vendorCode: string | null;
  /** Whether the server reported the failure. If false, the reply was lost and a sent statement may have been done. */
  readonly answered: boolean;
}

export type SqlReason =
  | CodeOf<'offline' | 'unknown'>
  | 'no_account'
  | 'no_rights'
  | 'not_supported'
  | 'policy'
  | 'read_only';

/** No connection was tried, because of a problem on our side, such as an unreadable file. */
export class NoConnection extends Error {
  readonly failure: SqlFailure;

  constructor(reason: SqlReason, vendorCode: string | null) {
    super(vendorCode ?? reason);
    this.failure = lost(reason, vendorCode);
  }
}

/** Reasons by code of the vendor: by the whole code, or by its first characters. */
export type Reasons = Readonly<Record<string, SqlReason>>;

/** Looks up a code, then its first `prefix` characters. */
export const reasonIn = (reasons: Reasons, code: string, prefix: number): SqlReason =>
  reasons[code] ?? reasons[code.slice(0, prefix)] ?? 'unknown';

/** Translates errors that do not depend on the database: of TLS, the network, the drivers and our time limit. */
export function failureOfConnection(error: unknown): SqlFailure {
  if (error instanceof NoConnection) return error.failure;
  if (error instanceof HashingFailed) return lost('lockstep_failed', 'hashing');
  const { code, name } = error as { code?: unknown; name?: unknown };
  if (name === 'TimeoutError') return lost('unreachable', 'timeout');
  if (typeof code === 'string')
    return lost(TLS_CODE.test(code) ? 'certificate_refused' : 'unreachable', code);
  // A driver throws a plain Error without a code if the connection has ended, and other classes for other errors.
  return name === 'Error' ? lost('unreachable', 'closed') : lost('unknown', null);
}

const TLS_CODE =
  /^(CERT_|CRL_|DEPTH_ZERO_|ERR_SSL_|ERR_TLS_|HOSTNAME_|INVALID_CA|PATH_LENGTH_|SELF_SIGNED_|UNABLE_TO_)/;

/**
 * Prefix of a vendor code of our own: the server requires a login method that the driver does not support. Its name
 * follows.
 */
export const LOGIN_METHOD = 'login_method:';

/** A failure that the server did not report. */
export const lost = (reason: SqlReason, vendorCode: string | null): SqlFailure => ({
  reason,
  vendorCode,
  answered: false,
});

/** Translates a failure into the answer to a write. @param sent whether the statement that writes was sent */
export function asWriteAnswer(failure: SqlFailure, sent: boolean): WriteAnswer {
  const { reason, vendorCode, answered } = failure;
  if (sent && !answered) return { result: 'ambiguous', vendorCode };
  if (isRejection(reason)) return { result: 'rejected', reason, vendorCode };
  return { result: 'retry', reason, vendorCode };
}

export function asSourceFailure({ reason, vendorCode }: SqlFailure): SourceFailure & {
  readonly reason: Exclude<SqlReason, 'policy' | 'read_only'>;
} {
  return { result: 'failed', reason: reasonForRead(reason), vendorCode };
}

export function asInconclusive({ reason, vendorCode }: SqlFailure): VerifyAnswer {
  return { result: 'inconclusive', reason: reasonForRead(reason), vendorCode };
}

type Rejection = Extract<SqlReason, CodeOf<'rejected'>>;

const isRejection = (reason: SqlReason): reason is Rejection => errors[reason].retry === 'rejected';

/** Maps a reason that is only about writes to `not_supported`, because it has no meaning for a read. */
const reasonForRead = (reason: SqlReason) =>
  reason === 'policy' || reason === 'read_only' ? 'not_supported' : reason;

/** The code of a failure as the end of a sentence. Empty if there is none. */
export const codeOf = ({ vendorCode }: SqlFailure): string =>
  vendorCode === null ? '' : ` (${vendorCode})`;
