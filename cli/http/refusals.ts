import type { ErrorCode } from '../../model/errors';
import { Failure } from '../failure';
import type { Change, Issue } from './shapes';

/** An error that the api answers (RFC 9457). */
export interface Problem {
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly violations?: readonly { readonly rule: string; readonly says: string }[];
  readonly issues?: readonly Issue[];
  /** The change that the auth account refused. */
  readonly change?: Change;
}

export class ApiProblem extends Failure {
  readonly problem: Problem;

  /** @param missing in place of what the api says of something that is not there */
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

export const notOurs = (status: number, url: URL): Failure =>
  new Failure(
    `${url.origin} answers, but not as the api of Lockstep does (HTTP ${status}). Check LOCKSTEP_URL or --url.`,
  );

/** The connection broke off after the request was on its way: nobody knows whether it was carried out. */
export class AnswerLost extends Failure {}

const START =
  'Start Lockstep with "./lockstep up", or set LOCKSTEP_URL (or --url) to the address of the api.';

/** By code: the text of an error may quote what was sent. */
const transportFailures: readonly (readonly [RegExp, (url: URL, code: string) => Failure])[] = [
  [/^ECONNREFUSED$/, ({ origin }) => new Failure(`Nothing answers at ${origin}. ${START}`)],
  [
    /^(?:ENOTFOUND|EAI_AGAIN)$/,
    ({ hostname }) => new Failure(`The name ${hostname} leads nowhere. ${START}`),
  ],
  [
    /CERT|SIGNATURE|ALTNAME|ERR_TLS|^ERR_SSL/,
    ({ origin }, code) =>
      new Failure(
        `The certificate of ${origin} is not trusted (${code}). Set NODE_EXTRA_CA_CERTS to a file with the certificate of its authority.`,
      ),
  ],
  [
    /^(?:ECONNRESET|EPIPE|UND_ERR_SOCKET|UND_ERR_HEADERS_TIMEOUT|UND_ERR_BODY_TIMEOUT|TimeoutError|AbortError)$/,
    ({ origin }) => new AnswerLost(`The answer of ${origin} did not come.`),
  ],
];

export function transportFailure(error: unknown, url: URL): Failure {
  const code = codeOf(error);
  const row = transportFailures.find(([codes]) => codes.test(code));
  return row === undefined
    ? new Failure(`${url.origin} cannot be reached (${code}). ${START}`)
    : row[1](url, code);
}

/** Of what `fetch` throws: the code lies in the cause, or in the first of several causes. */
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
