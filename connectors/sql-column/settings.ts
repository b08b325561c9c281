import { z } from 'zod';
import { schemes } from '../../model/hashes/encoding';
import { endpointShape, namesItsCertificate, serverNameNeeded } from '../sql/endpoint';
import { identifier } from '../sql/identifiers';

export const sqlColumnSettings = z
  .strictObject({
    engine: z.enum(['postgres', 'mysql']).describe('mysql is MySQL and MariaDB.'),
    ...endpointShape,
    port: z.int().min(1).max(65_535).describe('Its port, usually 5432 or 3306.'),
    schema: identifier
      .optional()
      .describe('Schema (MySQL: database) of the table, where it is not the current one.'),
    table: identifier.describe('The table with one row per account.'),
    keyColumn: identifier.describe('The column that names an account. It must be unique.'),
    passwordColumn: identifier.describe('The column with the hashed password.'),
    scheme: z.enum(schemes).describe('How its reader wants the password hashed.'),
    attributes: z
      .array(identifier)
      .default([])
      .describe('Further columns to read for correlation; keyColumn is always read.'),
    changedAtColumn: identifier
      .optional()
      .describe('A timestamp column that is set to the current time with each password.'),
    disabledColumn: identifier
      .optional()
      .describe('A column that says whether an account is switched off.'),
    disabledValues: z
      .array(z.string())
      .default(['1', 't', 'true'])
      .describe('What disabledColumn holds then, as text.'),
  })
  .refine(namesItsCertificate, serverNameNeeded);

export type SqlColumnSettings = z.infer<typeof sqlColumnSettings>;
