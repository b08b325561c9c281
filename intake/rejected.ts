import type { ErrorCode } from '../model/errors';
import type { Violation } from '../model/policy/violations';

/** Something in the request that is not right. `path` leads to it; what stands there is never repeated. */
export interface Issue {
  readonly path: readonly (string | number)[];
  readonly says: string;
}

export interface Details {
  /** Where the request is wrong: a byte offset in its body, or a JSON pointer. */
  readonly at?: number | string;
  readonly issues?: readonly Issue[];
  readonly violations?: readonly Violation[];
  /** Why the auth account refused, and the change as it is now. */
  readonly reason?: ErrorCode | null;
  readonly change?: unknown;
}

/** Nothing was taken in. Thrown, because any depth may refuse. */
export class IntakeRejected extends Error {
  readonly code: ErrorCode;
  readonly details: Details;

  constructor(code: ErrorCode, details: Details = {}) {
    super(code);
    this.code = code;
    this.details = details;
  }
}
