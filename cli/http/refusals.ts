import { Failure } from '../failure';
import type { Problem } from './answers';

/** An error answer of the API (RFC 9457) as a failure with its message and details. */
export class ApiProblem extends Failure {
  readonly problem: Problem;

  /** @param missing replaces the message of the API for `not_found` */
  constructor(problem: Problem, missing?: string) {
    const { detail, violations = [], issues = [], status, code } = problem;
    super(code === 'not_found' ? (missing ?? detail) : detail, {
      exit: status === 400 ? 'usage' : 'failed',
      lines: [
        ...violations.map(({ says }) => says),
        ...issues.map(({ path, says }) => `${path.join('.')}: ${says}`),
      ],
      json: { error: problem },
    });
    this.problem = problem;
  }
}

export const isProblem = (value: unknown): value is Problem =>
  typeof value === 'object' && value !== null && 'code' in value && 'detail' in value;

/** The failure for an answer that does not come from the API of Lockstep. */
export const notOurs = (status: number, url: URL): Failure =>
  new Failure(
    `${url.origin} answers, but it is not the API of Lockstep (HTTP ${status}). Check LOCKSTEP_URL or --url.`,
  );

/** The connection was lost after the request was sent, so it is unknown whether the API carried it out. */
export class AnswerLost extends Failure {}

const START =
  'Start Lockstep with "./lockstep up", or set LOCKSTEP_URL (or --url) to the address of the API.';

/** Messages by error code. The message of the error itself is never shown: it may quote what was sent. */
const transportFailures: readonly (readonly [RegExp, (url: URL, code: string) => Failure])[] = [
  [/^ECONNREFUSED$/, ({ origin }) => new Failure(`Nothing answers at ${origin}. ${START}`)],
  [
    /^(?:ENOTFOUND|EAI_AGAIN)$/,
    ({ hostname }) => new Failure(`The host name ${hostname} cannot be resolved. ${START}`),
  ],
  [
    /CERT|SIGNATURE|ALTNAME|ERR_TLS|^ERR_SSL/,
    ({ origin }, code) =>
      new Failure(
        `The certificate of ${origin} is not trusted (${code}). Set NODE_EXTRA_CA_CERTS to a file with the certificate of its certificate authority.`,
      ),
  ],
  [
    /^(?:ECONNRESET|EPIPE|UND_ERR_SOCKET|UND_ERR_HEADERS_TIMEOUT|UND_ERR_BODY_TIMEOUT|TimeoutError|AbortError)$/,
    ({ origin }) =>
      new AnswerLost(`The connection to ${origin} was lost before the answer arrived.`),
  ],
];

/** The failure for an error that `fetch` threw. */
export function transportFailure(error: unknown, url: URL): Failure {
  const code = codeOf(error);
  const row = transportFailures.find(([codes]) => codes.test(code));
  return row === undefined
    ? new Failure(`${url.origin} cannot be reached (${code}). ${START}`)
    : row[1](url, code);
}

/** The error code of an error that `fetch` threw: it is in the cause, or in the first of several causes. */
function codeOf(error: unknown): string {
  const { cause, code, name, errors } = error as {
    cause?: unknown;
    code?: unknown;
    name?: string;
    errors?: unknown[];
  };
  if (typeof code === 'string') return code;
  if (cause !== undefined) return codeOf(cause);
  return errors?.[0] === undefined ? (name ?? 'unknown') : codeOf(errors[0]);
}
