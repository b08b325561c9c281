import { z } from 'zod';
import type { PolicyRules } from '../policy/presets';
import type { SourcePolicy } from '../policy/target-limits';
import { describedFields, titleSchema } from './titles';

/** What a new password must satisfy, for a page on which a person types one. */

const sourceRulesSchema = z.object({
  source: z.string(),
  ...describedFields,
  policies: z
    .array(z.custom<SourcePolicy>().meta({ type: 'object' }))
    .describe(
      'The policies that the last check of the source has shown. If there are several, each binds some accounts only.',
    ),
});

export const passwordRulesSchema = z
  .object({
    groups: z.array(
      z.object({
        name: z.string(),
        title: titleSchema,
        authSource: z.string(),
        rules: z.custom<Omit<PolicyRules, 'dictionary' | 'blocklist'>>().meta({
          type: 'object',
          description: 'The rules of the policy, without its word lists.',
        }),
        hasLists: z
          .boolean()
          .describe(
            'True if the policy also has word lists or a strength, which only the API can check.',
          ),
        sources: z.array(sourceRulesSchema),
      }),
    ),
  })
  .meta({ id: 'PasswordRules' });

export const passwordCheckSchema = z
  .object({ violations: z.array(z.object({ rule: z.string(), says: z.string() })) })
  .meta({ id: 'PasswordCheck' });

export type PasswordRules = z.output<typeof passwordRulesSchema>;
export type GroupRules = PasswordRules['groups'][number];
export type PasswordCheck = z.output<typeof passwordCheckSchema>;
