import { z } from 'zod';
import { schemes } from '../../model/hashes/encoding';
import { endpointShape, namesItsCertificate, serverNameNeeded } from '../sql/endpoint';
import { identifier } from '../sql/identifiers';

export const sqlColumnSettings = z
  .strictObject({
    engine: z
      .enum(['postgres', 'mysql'])
      .describe('Kind of database: postgres, or mysql for MySQL and MariaDB.'),
    ...endpointShape,
    port: z.int().min(1).max(65_535).describe('Port of the server, usually 5432 or 3306.'),
    schema: identifier
      .optional()
      .describe('Schema (MySQL: database) of the table, if it is not the current one.'),
    table: identifier.describe('Table with one row per account.'),
    keyColumn: identifier.describe('Column that names an account. It must be unique.'),
    keyComparison: z
      .enum(['exact', 'ignore-case'])
      .optional()
      .describe(
        'How the collation of keyColumn compares keys. ignore-case: keys that differ only in case or in spaces at the end belong to one account. Default: exact for postgres, ignore-case for mysql.',
      ),
    idColumn: identifier
      .optional()
      .describe(
        'Column with an id that stays the same when the key of a row changes, such as its primary key. It shows that another row has got the key of a deleted one.',
      ),
    passwordColumn: identifier.describe('Column with the hashed password.'),
    scheme: z
      .enum(schemes)
      .describe('Hash scheme that the application which reads the table expects.'),
    attributes: z
      .array(identifier)
      .default([])
      .describe('Further columns to read for correlation. keyColumn is always read.'),
    changedAtColumn: identifier
      .optional()
      .describe('Timestamp column that Lockstep sets to the current time with each new password.'),
    disabledColumn: identifier
      .optional()
      .describe('Column that shows whether an account is disabled.'),
    disabledValues: z
      .array(z.string())
      .default(['1', 't', 'true'])
      .describe('Values of disabledColumn, as text, that mean that the account is disabled.'),
  })
  .refine(namesItsCertificate, serverNameNeeded);

export type SqlColumnSettings = z.infer<typeof sqlColumnSettings>;
