import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import type { Issue } from '../../intake/rejected';
import { Secret } from '../../model/passwords/secret';
import { readBody } from './body';
import { HttpProblem } from './problem';
import type { RequestBody } from './route';
import { scanJson } from './scan';

const SECRET_FORMAT = 'password';

/** A password in a body. The handler receives a `Secret`; the OpenAPI document shows text with `format: password`. */
export const secretText = z
  .custom<Secret>((value) => value instanceof Secret, 'must be non-empty text')
  .meta({ type: 'string', format: SECRET_FORMAT, writeOnly: true });

/**
 * Validates one part of a request.
 * @param place the part, unless it is the body
 * @throws HttpProblem with every issue
 */
export function check(
  schema: z.ZodType,
  value: unknown,
  place?: 'path' | 'query' | 'header',
): unknown {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map((issue) => issueOf(issue, place));
  const at = place === undefined ? pointer(issues[0]?.path ?? []) : undefined;
  throw new HttpProblem('request_invalid', { at, issues });
}

export interface Body {
  readonly value: unknown;
  readonly secrets: readonly Secret[];
}

/**
 * Reads and validates a body. The caller destroys the secrets. The buffers that held the body are zeroed, so that its
 * passwords remain only in the secrets.
 * @throws HttpProblem if the body is rejected; its secrets are destroyed by then
 */
export async function readInput(request: IncomingMessage, wanted: RequestBody): Promise<Body> {
  const body = await readBody(request, wanted.limitBytes);
  try {
    if (body.length === 0 && wanted.schema.safeParse(undefined).success)
      return { value: undefined, secrets: [] };
    const { maxDepth, mayBeSecret } = wanted;
    const limits = { secrets: secretsIn(wanted.schema), mayBeSecret, maxDepth };
    const { value, secrets } = scanJson(body, limits);
    try {
      return { value: check(wanted.schema, value), secrets };
    } catch (error) {
      for (const secret of secrets) secret.destroy();
      throw error;
    }
  } finally {
    body.fill(0);
  }
}

/** The names of the top-level members that are passwords. */
export function secretsIn(schema: z.ZodType): string[] {
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries(schema.shape).flatMap(([name, member]) => {
    const inner = member instanceof z.ZodOptional ? member.unwrap() : member;
    return (inner as z.ZodType).meta()?.format === SECRET_FORMAT ? [name] : [];
  });
}

/** The name of an unknown member is not repeated in the answer, because it may be a misplaced password. */
function issueOf(issue: z.core.$ZodIssue, place: string | undefined): Issue {
  const path = issue.path.map((step) => (typeof step === 'number' ? step : String(step)));
  return {
    path: place === undefined ? path : [place, ...path],
    says: issue.code === 'unrecognized_keys' ? 'has an unknown member' : issue.message,
  };
}

/** A JSON pointer (RFC 6901). */
const pointer = (path: readonly (string | number)[]): string =>
  path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
