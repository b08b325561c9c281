import type { CodeOf } from '../../model/errors';

/** The request was not sent. */
export class NotSent extends Error {
  readonly reason: CodeOf<'offline' | 'unknown'>;
  readonly vendorCode: string | null;
  readonly retryAfterMs: number | null;

  constructor(
    reason: CodeOf<'offline' | 'unknown'>,
    vendorCode: string | null = null,
    retryAfterMs: number | null = null,
  ) {
    super(`not sent: ${reason}`);
    this.reason = reason;
    this.vendorCode = vendorCode;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The request may have reached the server, and no complete reply came back. */
export class NoReply extends Error {
  readonly vendorCode: string | null;

  constructor(vendorCode: string | null) {
    super('no reply');
    this.vendorCode = vendorCode;
  }
}
