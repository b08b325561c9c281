import { shownEnvironment } from '../../config';
import { type Diagnostics, diagnosticsSchema } from '../../model/api/diagnostics';
import { release } from '../../release';
import { readStoreFacts } from '../../store/diagnostics';
import { type Route, route } from '../http/route';

const read = route({
  method: 'get',
  path: '/v1/diagnostics',
  right: 'operate',
  summary: 'Read versions, queues and settings, for a support bundle',
  answers: {
    200: { says: 'Counts and settings without secrets or names.', schema: diagnosticsSchema },
  },
  handle: async ({ db }) => {
    const facts = (await readStoreFacts(db)) as unknown as Diagnostics;
    const own = {
      release: release(),
      node: process.version,
      upSeconds: Math.round(process.uptime()),
      environment: shownEnvironment(),
    };
    return { status: 200, body: { ...facts, ...own } };
  },
});

export const diagnosticsRoutes: readonly Route[] = [read];
