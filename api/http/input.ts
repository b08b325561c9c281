import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import type { Issue } from '../../intake/rejected';
import { Secret } from '../../model/passwords/secret';
import { readBody } from './body';
import { HttpProblem } from './problem';
import type { RequestBody } from './route';
import { scanJson } from './scan';

/** How the parts of a request become what a handler takes. */

const SECRET_FORMAT = 'password';

/** A password in a body. It never is a string; in the OpenAPI document it is one of `format: password`. */
export const secretText = z
  .custom<Secret>((value) => value instanceof Secret, 'must be there, as text')
  .meta({ type: 'string', format: SECRET_FORMAT, writeOnly: true });

/** @param place of the request, where it is not the body */
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

/** Whoever calls it destroys the secrets. No byte of the body is left in memory of ours but in them. */
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

/** The members of a body that are passwords. */
export function secretsIn(schema: z.ZodType): string[] {
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries(schema.shape).flatMap(([name, member]) => {
    const inner = member instanceof z.ZodOptional ? member.unwrap() : member;
    return (inner as z.ZodType).meta()?.format === SECRET_FORMAT ? [name] : [];
  });
}

/** Names that we do not know are not repeated either: somebody may have put a password there. */
function issueOf(issue: z.core.$ZodIssue, place: string | undefined): Issue {
  const path = issue.path.map((step) => (typeof step === 'number' ? step : String(step)));
  return {
    path: place === undefined ? path : [place, ...path],
    says:
      issue.code === 'unrecognized_keys' ? 'has a member that is not known here' : issue.message,
  };
}

/** RFC 6901 */
const pointer = (path: readonly (string | number)[]): string =>
  path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
