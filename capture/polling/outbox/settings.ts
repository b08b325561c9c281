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
    engine: z.enum(['postgres', 'mysql']).describe('Database engine; mysql is MySQL or MariaDB.'),
    ...endpoint,
    port: z.int().min(1).max(65_535).describe('Port of the database, usually 5432 or 3306.'),
    schema: identifier
      .optional()
      .describe('Schema (MySQL: database) of the outbox, if it is not the current one.'),
    table: identifier.describe(
      'Name of the outbox table, as "lockstep relay setup outbox" printed it.',
    ),
    holds: z
      .enum(['hash', 'plaintext'])
      .default('hash')
      .describe('Whether the password column holds a hash or the password in plain text.'),
    keepDays: z
      .int()
      .min(0)
      .max(365)
      .default(3)
      .describe('Days for which a row stays in the outbox after the relay read it.'),
  })
  .refine(namesItsCertificate, serverNameNeeded);

export type OutboxSettings = z.infer<typeof outboxSettings>;
