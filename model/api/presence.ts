import { z } from 'zod';

export const waitingForSchema = z
  .enum(['worker', 'engine'])
  .nullable()
  .describe(
    'What keeps all changes from proceeding: `worker` if no worker runs, `engine` if no worker reaches Temporal; null if changes proceed.',
  );

export const presenceSchema = z.object({ waitingFor: waitingForSchema });

export type WaitingFor = z.output<typeof waitingForSchema>;
export type Presence = z.output<typeof presenceSchema>;
