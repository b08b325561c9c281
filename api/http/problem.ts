import { type Details, IntakeRejected } from '../../intake/rejected';
import { type ErrorCode, errors } from '../../model/errors';
import { isAway } from '../../store/database';

/** Ends a request with a problem. It is thrown, because a function at any depth may reject the request. */
export class HttpProblem extends IntakeRejected {
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

/** The problem that the client receives for an error. An unexpected error becomes `internal`, without details. */
export function asHttpProblem(error: unknown): HttpProblem {
  if (error instanceof HttpProblem) return error;
  if (error instanceof IntakeRejected) return new HttpProblem(error.code, error.details);
  if (isAway(error)) return new HttpProblem('database_away');
  // The router throws this if it cannot decode the URL.
  if (error instanceof URIError) return new HttpProblem('not_found');
  return new HttpProblem('internal');
}

/** The body of a problem (RFC 9457). */
export function problemOf(problem: HttpProblem, requestId: string) {
  const { code, details } = problem;
  const { status } = errors[code];
  const title = code.replaceAll('_', ' ');
  const detail = detailOf(problem);
  return { type: `/errors/${code}`, title, status, detail, code, ...details, requestId };
}

/** The sentence of a problem, with the scopes that are missing. */
export function detailOf({ code, details: { scopes } }: HttpProblem): string {
  const { says } = errors[code];
  return scopes === undefined ? says : `${says} It needs ${scopes.join(' or ')}.`;
}

export function headersOf({ code, headers }: HttpProblem): Record<string, string> {
  return {
    'content-type': 'application/problem+json',
    ...(errors[code].status === 503 ? { 'retry-after': RETRY_AFTER_SECONDS } : {}),
    ...(code === 'unauthenticated' ? { 'www-authenticate': 'Bearer' } : {}),
    ...headers,
  };
}
