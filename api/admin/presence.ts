import { z } from 'zod';
import type { Standstill } from '../../store/presence';
import { type Route, route } from '../http/route';

/** What keeps every change from going on. */
export const waitingForSchema = z
  .enum(['worker', 'engine'])
  .nullable()
  .describe('What keeps every change from going on: no worker runs, or none reaches the engine.');

const byStandstill = {
  no_worker: 'worker',
  no_engine: 'engine',
} as const satisfies Record<NonNullable<Standstill>, z.output<typeof waitingForSchema>>;

export const waitingFor = (standstill: Standstill): z.output<typeof waitingForSchema> =>
  standstill === null ? null : byStandstill[standstill];

const readPresence = route({
  method: 'get',
  path: '/v1/presence',
  scope: 'read',
  summary: 'See whether changes go on',
  description: 'A change that is accepted meanwhile is kept, and goes on by itself.',
  answers: {
    200: {
      says: 'Whether a worker runs and reaches the engine.',
      schema: z.object({ waitingFor: waitingForSchema }),
    },
  },
  handle: async ({ standstill }) => ({
    status: 200,
    body: { waitingFor: waitingFor(await standstill()) },
  }),
});

export const presenceRoutes: readonly Route[] = [readPresence];
