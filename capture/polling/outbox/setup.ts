import type { SqlEngine } from '../../../connectors/sql/identifiers';
import { checkName, named, type OutboxNames, type OutboxSetup, readTableName } from './names';
import { mysqlSql } from './setup-mysql';
import { postgresSql } from './setup-postgres';

export interface WantedOutbox {
  readonly engine: SqlEngine;
  /** The table of the application, in the form that `readTableName` parses. */
  readonly table: string;
  /** Column with the name of the account. */
  readonly accountColumn: string;
  /** Column with the password or its hash. */
  readonly passwordColumn: string;
  /** Database role (MySQL: user) of the relay. */
  readonly role: string;
}

/** Prepares the SQL and the relay settings for an outbox. @throws Misconfigured if a name cannot be used */
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
    const table = { port: 5432, database: 'application', schema, table: names.outbox };
    return {
      ...postgresSql(names),
      poll: { kind: 'outbox', settings: { engine, ...at, ...table } },
    };
  }
  const settings = { engine, ...at, port: 3306, database: schema, table: names.outbox };
  return { ...mysqlSql(names), poll: { kind: 'outbox', settings } };
}

const PASSWORD = '${file:/var/lib/lockstep-relay/database-password}';
