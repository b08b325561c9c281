import type { Scope } from '../model/api/scopes';
import type { ErrorCode } from '../model/errors';
import type { Violation } from '../model/policy/checks';

/** One problem in a request. `path` leads to the field; its value is never repeated. */
export interface Issue {
  readonly path: readonly (string | number)[];
  readonly says: string;
}

/** The members of an error response in addition to its code. */
export interface Details {
  /** The place of the problem: a byte offset in the body, or a JSON pointer. */
  readonly at?: number | string;
  readonly issues?: readonly Issue[];
  readonly violations?: readonly Violation[];
  /** Why the auth account was not changed, and the change in its present state. */
  readonly reason?: ErrorCode | null;
  readonly change?: unknown;
  /** The scopes of which an API key needs one, the narrowest first. */
  readonly scopes?: readonly Scope[];
}

/** Thrown when a request is refused, so that nothing was accepted. It is an exception because any depth may refuse. */
export class IntakeRejected extends Error {
  readonly code: ErrorCode;
  readonly details: Details;

  constructor(code: ErrorCode, details: Details = {}) {
    super(code);
    this.code = code;
    this.details = details;
  }
}
