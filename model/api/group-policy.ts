import { z } from 'zod';
import type { PictureRule } from '../policy/sample-variants';
import { groupFitSchema } from './configuration';
import { titleSchema } from './titles';

/** The rules of a group with examples, and what filters make of samples. */

const policyOf = {
  source: z.string().nullable().describe('The source; null for the policy of the group.'),
  policy: z.string().describe('The name of the policy.'),
};

const rowSchema = z.object({
  rule: z.custom<PictureRule>().meta({ type: 'string' }),
  bounds: z
    .array(
      z.object({
        ...policyOf,
        says: z.string(),
        strictest: z.boolean().describe('Whether no other policy demands more.'),
      }),
    )
    .describe('Every policy that has the rule.'),
  fails: z
    .string()
    .nullable()
    .describe('An example that breaks the rule, and as few others as possible.'),
});

export const filteredSamplesSchema = z.object({
  samples: z.array(
    z.object({
      sample: z.string(),
      written: z
        .string()
        .nullable()
        .describe('What the source gets; null if too little is left, so that it gets nothing.'),
      broken: z.array(z.string()).describe('The limits of the source that it breaks.'),
    }),
  ),
  weakens: z.string().nullable().describe('How much weaker the filter makes passwords.'),
});

export const groupPolicySchema = z
  .object({
    name: z.string(),
    title: titleSchema,
    authSource: z.string(),
    sources: z.array(z.string()),
    rows: z.array(rowSchema).describe('The rules that at least one policy has.'),
    passes: z.string().nullable().describe('An example that every policy accepts.'),
    alone: z
      .array(z.object({ ...policyOf, passes: z.string().nullable() }))
      .describe('If no example satisfies all: one for each policy that it accepts alone.'),
    fit: groupFitSchema,
    filters: z
      .array(z.object({ source: z.string(), filter: z.record(z.string(), z.unknown()) }))
      .describe('The password filters of the sources.'),
  })
  .meta({ id: 'GroupPolicy' });

export type GroupPolicy = z.output<typeof groupPolicySchema>;
export type FilteredSamples = z.output<typeof filteredSamplesSchema>;
