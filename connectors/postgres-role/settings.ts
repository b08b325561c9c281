import { z } from 'zod';
import { endpointShape, namesItsCertificate, serverNameNeeded } from '../sql/endpoint';

const port = z.int().min(1).max(65_535).default(5432).describe('Its port.');

export const postgresRoleSettings = z
  .strictObject({
    ...endpointShape,
    port,
    roleFilter: z
      .string()
      .min(1)
      .default('%')
      .describe(
        'SQL LIKE pattern: the roles that find and list show. Only roles that may log in and are no superusers are ever shown.',
      ),
    loginDatabase: z
      .string()
      .min(1)
      .default('postgres')
      .describe('The database that proofs name, for pg_hba.conf; they do not enter it.'),
  })
  .refine(namesItsCertificate, serverNameNeeded);

export type PostgresRoleSettings = z.infer<typeof postgresRoleSettings>;
