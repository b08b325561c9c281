import { z } from 'zod';
import { endpointShape, namesItsCertificate, serverNameNeeded } from '../sql/endpoint';

const port = z.int().min(1).max(65_535).default(5432).describe('Port of the server.');

export const postgresRoleSettings = z
  .strictObject({
    ...endpointShape,
    port,
    roleFilter: z
      .string()
      .min(1)
      .default('%')
      .describe(
        'SQL LIKE pattern that the roles must match to be found and listed. Roles without LOGIN and superusers are never listed.',
      ),
    loginDatabase: z
      .string()
      .min(1)
      .default('postgres')
      .describe(
        'Database that the logins that verify passwords name, for pg_hba.conf. They end before they enter it.',
      ),
  })
  .refine(namesItsCertificate, serverNameNeeded);

export type PostgresRoleSettings = z.infer<typeof postgresRoleSettings>;
