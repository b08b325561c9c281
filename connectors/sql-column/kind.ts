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
  traits: { proof: 'hash', repeatable: true, accepts: ['hash'] },
  open: async (settings, tools) => openSqlColumn(await openEngine(settings, tools), settings),
};
