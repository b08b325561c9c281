import { z } from 'zod';
import { presenceSchema } from './presence';

export const masterKeysSchema = z
  .object({
    problems: presenceSchema.shape.keyStoreProblems,
    keys: z
      .array(
        z.object({
          id: z.string(),
          current: z.boolean().describe('Whether it seals new credentials.'),
          backedUp: z
            .boolean()
            .nullable()
            .describe('Null while no worker reports it, or no application is configured.'),
          credentials: z.int().describe('How many stored credentials it seals.'),
        }),
      )
      .describe(
        'The key that seals new credentials, those that seal stored ones, and those without a backup. Only a worker knows others.',
      ),
  })
  .meta({ id: 'MasterKeys' });

export type MasterKeys = z.output<typeof masterKeysSchema>;
