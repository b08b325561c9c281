import { z } from 'zod';
import { verifyAudit } from '../../store/audit';
import { type Route, route } from '../http/route';

const verify = route({
  method: 'get',
  path: '/v1/audit/verify',
  right: 'administer',
  summary: 'Verify the audit chain',
  answers: {
    200: {
      says: 'Whether every record is unchanged since it was written.',
      schema: z.union([
        z.object({ intact: z.literal(true), records: z.int() }),
        z.object({
          intact: z.literal(false),
          position: z.int().describe('The position of the first record that does not match.'),
        }),
      ]),
    },
  },
  handle: async ({ db }) => ({ status: 200, body: await verifyAudit(db) }),
});

export const auditRoutes: readonly Route[] = [verify];
