import { type Details, Refused } from '../../intake/rejected';
import { type ErrorCode, errors } from '../../model/errors';
import { isAway } from '../../store/database';

/** Ends a request with a problem. Thrown, because any depth may refuse. */
export class Refusal extends Refused {
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: ErrorCode,
    details: Details = {},
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(code, details);
    this.headers = headers;
  }
}

const RETRY_AFTER_SECONDS = '5';

/** What the world is told of an error: of those that nobody foresaw, nothing. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof Refused) return new Refusal(error.code, error.details);
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
