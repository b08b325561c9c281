import { type ErrorCode, errors } from '../model/errors';
import type { Violation } from '../model/policy-judges';
import { isAway } from '../store/database';

/** Something in the request that is not right. `path` leads to it; what stands there is never repeated. */
export interface Issue {
  readonly path: readonly (string | number)[];
  readonly says: string;
}

interface Details {
  /** Where the request is wrong: a byte offset in its body, or a JSON pointer. */
  readonly at?: number | string;
  readonly issues?: readonly Issue[];
  readonly violations?: readonly Violation[];
  /** Why the auth account refused, and the change as it is now. */
  readonly reason?: ErrorCode | null;
  readonly change?: unknown;
}

/** Ends a request with a problem. Thrown, because any depth may refuse. */
export class Refusal extends Error {
  readonly code: ErrorCode;
  readonly details: Details;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: ErrorCode,
    details: Details = {},
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(code);
    this.code = code;
    this.details = details;
    this.headers = headers;
  }
}

const RETRY_AFTER_SECONDS = '5';

/** What the world is told of an error: of those that nobody foresaw, nothing. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (isAway(error)) return new Refusal('database_away');
  // The router could not decode the address.
  if (error instanceof URIError) return new Refusal('not_found');
  return new Refusal('internal');
}

/** The body of a problem (RFC 9457). */
export function problemOf({ code, details }: Refusal, requestId: string) {
  const { status, says } = errors[code];
  const title = code.replaceAll('_', ' ');
  return { type: `/errors/${code}`, title, status, detail: says, code, ...details, requestId };
}

export function headersOf({ code, headers }: Refusal): Record<string, string> {
  return {
    'content-type': 'application/problem+json',
    ...(errors[code].status === 503 ? { 'retry-after': RETRY_AFTER_SECONDS } : {}),
    ...(code === 'unauthenticated' ? { 'www-authenticate': 'Bearer' } : {}),
    ...headers,
  };
}
