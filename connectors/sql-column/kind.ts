import { schemes } from '../../model/hashes/encoding';
import type { ConnectorKind } from '../contract';
import { openSqlColumn } from './connector';
import { openEngine } from './engine';
import { rowNaming } from './naming';
import { type SqlColumnSettings, sqlColumnSettings } from './settings';

/** A table that keeps the hash of each password in a column. An account is a row. Its name is the key of the row. */
export const sqlColumn: ConnectorKind<SqlColumnSettings> = {
  kind: 'sql-column',
  title: 'Hashed passwords in an SQL table',
  settings: sqlColumnSettings,
  secretSettings: ['password'],
  traits: {
    proof: 'hash',
    repeatable: true,
    accepts: schemes,
    yields: ['plaintext', 'hash'],
    reportsCurrent: true,
    actions: [],
  },
  declared: ({ scheme }) => ({ accepts: [scheme] }),
  naming: rowNaming,
  signsInAs: ({ engine, user }) =>
    engine === 'postgres' ? { system: 'postgresql', name: user } : null,
  needs: [
    'TLS with a certificate that can be checked.',
    'A service account that may select and update only this table, a unique key column, and a password column that is long enough for the scheme.',
    'With `idColumn`, Lockstep refuses a row that has got the key of a deleted one. If its ids are UUIDs, Lockstep follows a row whose key has changed.',
    'Lockstep updates exactly one row. If the key names several rows, it updates none.',
    'A mark in front of a hash, such as `!`, locks the account. A write keeps the mark, and Lockstep reports that the person cannot sign in. An account with a mark alone (`!`, `*`, the unusable password of Django) has no password of its own, and Lockstep skips it.',
    'A hash of the configured scheme that comes from another system is stored unchanged, but without a prefix such as `{CRYPT}` or `{ARGON2}`.',
  ],
  open: async (settings, tools) => openSqlColumn(await openEngine(settings, tools), settings),
};
