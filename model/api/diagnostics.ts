import { z } from 'zod';

const counted = (fields: Readonly<Record<string, z.ZodType>>) =>
  z.array(z.object({ ...fields, count: z.int() }));
const label = z.string().nullable();

/** What a person who helps an operator needs to know. Nothing in it is secret or names a person or an account. */
export const diagnosticsSchema = z.object({
  release: z.string().describe('The version of Lockstep that the API runs.'),
  node: z.string(),
  postgres: z.string(),
  upSeconds: z.int().describe('For how long the API has been running.'),
  migration: z.string().describe('The last migration of the database.'),
  configurationVersion: z.int(),
  environment: z
    .record(z.string(), z.string())
    .describe('The variables that are set for the API. A value that could be secret is left out.'),
  changes: counted({ state: label }),
  openAccounts: counted({ source: label, state: label, reason: label }).describe(
    'Accounts of changes that have not ended.',
  ),
  jobs: counted({ kind: label, state: label }),
  capturesToIngest: z.int(),
  workers: z.array(
    z.object({
      id: z.string(),
      seenAt: z.string(),
      engineReachable: z.boolean(),
      engineLacks: z.array(z.string()),
    }),
  ),
  databaseBytes: z.number(),
});

export type Diagnostics = z.output<typeof diagnosticsSchema>;
