import { presenceSchema } from '../../model/api/presence';
import { type Route, route } from '../http/route';
import { waitingFor } from '../http/waiting-for';

const readPresence = route({
  method: 'get',
  path: '/v1/presence',
  scope: 'read',
  summary: 'See whether changes can proceed',
  description:
    'The API accepts changes even while no worker runs. They are stored and start by themselves once a worker is back.',
  answers: {
    200: {
      says: 'Whether a worker runs and reaches Temporal.',
      schema: presenceSchema,
    },
  },
  handle: async ({ standstill }) => ({
    status: 200,
    body: { waitingFor: waitingFor(await standstill()) },
  }),
});

export const presenceRoutes: readonly Route[] = [readPresence];
