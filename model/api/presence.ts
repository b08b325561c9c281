import { z } from 'zod';
import { type EngineProblem, engineProblems } from '../engine-problem';

export const waitingForSchema = z
  .enum(['worker', 'engine'])
  .nullable()
  .describe(
    'What keeps all changes from proceeding: `worker` if no worker runs, `engine` if no worker can use Temporal; null if changes proceed.',
  );

export const presenceSchema = z.object({
  waitingFor: waitingForSchema,
  engineProblems: z
    .array(z.enum(Object.keys(engineProblems) as [EngineProblem, ...EngineProblem[]]))
    .describe('Why running workers cannot use Temporal; empty if all of them can.'),
  engineLacks: z
    .array(z.string())
    .describe(
      'Search attributes that the Temporal namespace lacks, as `name=type`. No change can start without them.',
    ),
  sealing: z
    .enum(['ready', 'no_key', 'signer_unreadable'])
    .describe(
      'Whether the API can seal a password: `no_key` if no worker has published a key that its signer has signed, `signer_unreadable` if the API cannot read the file of the signer.',
    ),
});

export type WaitingFor = z.output<typeof waitingForSchema>;
export type Presence = z.output<typeof presenceSchema>;
