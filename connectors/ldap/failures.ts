import type { CodeOf } from '../../model/errors';

/** The request was not sent. */
export class NotSent extends Error {
  readonly reason: CodeOf<'offline'>;
  readonly vendorCode: string | null;

  constructor(reason: CodeOf<'offline'>, vendorCode: string | null = null) {
    super(`not sent: ${reason}`);
    this.reason = reason;
    this.vendorCode = vendorCode;
  }
}

/** The request was sent, and no reply came back. */
export class NoReply extends Error {
  readonly vendorCode: string | null;

  constructor(vendorCode: string | null = null) {
    super('no reply');
    this.vendorCode = vendorCode;
  }
}
