import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { setUpOutbox } from '../../capture/polling/outbox/setup';
import type { Company } from './company';
import { server } from './servers';

/** What the relay of the outbox logs in with. */
export const OUTBOX_PASSWORD = 'Of the relay at the database';

/** Creates an outbox for the table of the `crm`, as an administrator of the database does. */
export async function addCrmOutbox(company: Company) {
  const { settings } = Object(company.sources().crm);
  const { host, port, serverName, ca, table, keyColumn, passwordColumn } = settings;
  const url = new URL(server('postgres').url ?? '');
  url.pathname = settings.database;
  const database = new Client({ connectionString: url.href });
  await database.connect();
  const role = `relay_of_${settings.database}`;
  const { sql, poll } = setUpOutbox({
    ...{ engine: 'postgres', table: `public.${table}`, role },
    ...{ accountColumn: keyColumn, passwordColumn },
  });
  await database.query(`create role ${role} login password '${OUTBOX_PASSWORD}'`);
  await database.query(sql);
  await database.end();
  const dir = mkdtempSync(path.join(os.tmpdir(), 'lockstep-outbox-'));
  const file = path.join(dir, 'password');
  writeFileSync(file, OUTBOX_PASSWORD, { mode: 0o600 });
  const endpoint = { host, port, serverName, ca, database: settings.database };
  const password = `\${file:${file}}`;
  return {
    /** Settings of a relay that polls the outbox. */
    settings: { poll: { ...poll, settings: { ...poll.settings, ...endpoint, password } } },
    remove: () => rmSync(dir, { recursive: true }),
  };
}
