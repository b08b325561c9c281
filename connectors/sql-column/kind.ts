import { schemes } from '../../model/hashes/encoding';
import type { ConnectorKind } from '../contract';
import { openSqlColumn } from './connector';
import { openEngine } from './engine';
import { type SqlColumnSettings, sqlColumnSettings } from './settings';

/** A table of an application that keeps the hash of each password in a column. An account is a row, named by its key. */
export const sqlColumn: ConnectorKind<SqlColumnSettings> = {
  kind: 'sql-column',
  title: 'Hashed passwords in an SQL table',
  settings: sqlColumnSettings,
  secretSettings: ['password'],
  traits: { proof: 'hash', repeatable: true, accepts: schemes, yields: ['plaintext', 'hash'] },
  declared: ({ scheme }) => ({ accepts: [scheme] }),
  needs: [
    'TLS with a certificate that can be checked.',
    'A service account that may select and update this one table, a key column that is unique, and a password column that is long enough for the scheme.',
    'Exactly one row is updated, or none.',
    'A hash of its own scheme that comes from elsewhere is stored as it is, without a `{CRYPT}` or `{ARGON2}` before it.',
  ],
  open: async (settings, tools) => openSqlColumn(await openEngine(settings, tools), settings),
};
