import { z } from 'zod';
import { checkedRules } from '../policy/checks';
import { changeSchema } from './changes';
import { errorCode, errorCodeOrNull } from './fields';
import { scopeNames } from './scopes';

const issueSchema = z.object({
  path: z.array(z.union([z.string(), z.int()])),
  says: z.string(),
});

/** The body of every error outside SCIM (RFC 9457). */
export const problemSchema = z
  .object({
    type: z.string().describe('The address of a page about this code.'),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe('What happened and what to do.'),
    code: errorCode,
    at: z
      .union([z.int(), z.string()])
      .optional()
      .describe('Where the request is wrong: a byte offset in its body, or a JSON pointer.'),
    issues: z.array(issueSchema).optional(),
    violations: z
      .array(z.object({ rule: z.enum(checkedRules), says: z.string() }))
      .optional()
      .describe('Every rule of every policy that the password breaks.'),
    reason: errorCodeOrNull.optional().describe('Why the auth account refused.'),
    change: changeSchema.optional(),
    scopes: z
      .array(z.enum(scopeNames))
      .optional()
      .describe('The scopes of which the API key needs one, the narrowest first.'),
    requestId: z.string(),
  })
  .meta({ id: 'Problem' });

export type Issue = z.output<typeof issueSchema>;
export type Problem = z.output<typeof problemSchema>;
