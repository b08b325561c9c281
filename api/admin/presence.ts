import { presenceSchema, type WaitingFor } from '../../model/api/presence';
import type { Standstill } from '../../store/presence';
import { type Route, route } from '../http/route';

const byStandstill = {
  no_worker: 'worker',
  no_engine: 'engine',
} as const satisfies Record<NonNullable<Standstill>, WaitingFor>;

export const waitingFor = (standstill: Standstill): WaitingFor =>
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
      schema: presenceSchema,
    },
  },
  handle: async ({ standstill }) => ({
    status: 200,
    body: { waitingFor: waitingFor(await standstill()) },
  }),
});

export const presenceRoutes: readonly Route[] = [readPresence];
