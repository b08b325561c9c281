import { z } from 'zod';
import { type EngineProblem, engineProblems } from '../engine-problem';
import { type KeyStoreProblem, keyStoreProblems } from '../key-store-problem';

export const waitingForSchema = z
  .enum(['worker', 'engine', 'key_store'])
  .nullable()
  .describe(
    'What keeps changes from proceeding: `worker` if no worker runs, `engine` if no worker can use Temporal, `key_store` if new credentials of single sign-on applications cannot be sealed; null if changes proceed.',
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
  keyStoreProblems: z
    .array(z.enum(Object.keys(keyStoreProblems) as [KeyStoreProblem, ...KeyStoreProblem[]]))
    .describe(
      'Why running workers cannot seal new credentials of single sign-on applications; empty if all of them can.',
    ),
  unsavedMasterKeys: z
    .array(z.string())
    .describe(
      'Ids of the master keys without a backup; empty while no single sign-on application is configured.',
    ),
  unservedSources: z
    .array(z.string())
    .describe('Isolated sources that no running worker is bound to. Their accounts wait.'),
  sealing: z
    .enum(['ready', 'no_key', 'signer_unreadable'])
    .describe(
      'Whether the API can seal a password: `no_key` if no worker has published a key that its signer has signed, `signer_unreadable` if the API cannot read the file of the signer.',
    ),
});

export type WaitingFor = z.output<typeof waitingForSchema>;
export type Presence = z.output<typeof presenceSchema>;
