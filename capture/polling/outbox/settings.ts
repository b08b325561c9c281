import { z } from 'zod';
import {
  endpointShape,
  namesItsCertificate,
  serverNameNeeded,
} from '../../../connectors/sql/endpoint';
import { identifier } from '../../../connectors/sql/identifiers';

const { poolSize: _, ...endpoint } = endpointShape;

export const outboxSettings = z
  .strictObject({
    engine: z.enum(['postgres', 'mysql']).describe('mysql is MySQL and MariaDB.'),
    ...endpoint,
    port: z.int().min(1).max(65_535).describe('Its port, usually 5432 or 3306.'),
    schema: identifier
      .optional()
      .describe('Schema (MySQL: database) of the outbox, where it is not the current one.'),
    table: identifier.describe('The outbox that "lockstep relay setup outbox" told how to make.'),
    holds: z
      .enum(['hash', 'plaintext'])
      .default('hash')
      .describe('What the application keeps in the password column.'),
    keepDays: z
      .int()
      .min(0)
      .max(365)
      .default(3)
      .describe('How long a change stays in the outbox after it was taken.'),
  })
  .refine(namesItsCertificate, serverNameNeeded);

export type OutboxSettings = z.infer<typeof outboxSettings>;
