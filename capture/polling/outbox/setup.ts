import type { SqlEngine } from '../../../connectors/sql/identifiers';
import { checkName, named, type OutboxNames, type OutboxSetup, readTableName } from './names';
import { mysqlSql } from './setup-mysql';
import { postgresSql } from './setup-postgres';

export interface WantedOutbox {
  readonly engine: SqlEngine;
  /** As `readTableName` takes it. */
  readonly table: string;
  readonly accountColumn: string;
  readonly passwordColumn: string;
  /** Whom the relay is to the database. */
  readonly role: string;
}

/** @throws Misconfigured for names that cannot be */
export function setUpOutbox(wanted: WantedOutbox): OutboxSetup {
  const { engine, accountColumn, passwordColumn, role } = wanted;
  const application = readTableName(wanted.table);
  for (const name of [...Object.values(application), accountColumn, passwordColumn, role])
    checkName(engine, name);
  const { schema, table } = application;
  const names: OutboxNames = {
    ...{ application, accountColumn, passwordColumn, role },
    outbox: named(table, 'outbox'),
    triggers: { insert: named(table, 'insert'), update: named(table, 'update') },
    capture: named(table, 'capture'),
  };
  const at = { host: 'db.example.com', user: role, password: PASSWORD };
  if (engine === 'postgres') {
    const place = { port: 5432, database: 'application', schema, table: names.outbox };
    return {
      ...postgresSql(names),
      poll: { kind: 'outbox', settings: { engine, ...at, ...place } },
    };
  }
  const place = { port: 3306, database: schema, table: names.outbox };
  return { ...mysqlSql(names), poll: { kind: 'outbox', settings: { engine, ...at, ...place } } };
}

const PASSWORD = '${file:/var/lib/lockstep-relay/database-password}';
