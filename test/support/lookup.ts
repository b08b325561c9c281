import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { sql } from 'kysely';
import { accountRulesOf } from '../../connectors/registry';
import { createLookupApp } from '../../lookup/app';
import { openLookup, openLookupDatabase } from '../../lookup/dependencies';
import { lookupKeys, type MasterKeys } from '../../lookup/master-keys';
import { configurationSchema } from '../../model/configuration/document';
import { Secret } from '../../model/passwords/secret';
import { createApiKey } from '../../store/api-keys';
import { applyConfiguration, currentConfiguration } from '../../store/configuration/versions';
import type { OpenDatabase } from '../../store/database';
import { findIdentity } from '../../store/people/identities';
import { linkMapping } from '../../store/people/mappings';
import { sealCredential } from '../../store/worker/credentials';
import type { MasterKey } from '../../store/worker/keys/key-store';
import { openMasterFolder } from '../../store/worker/keys/master-folder';
import { type TestDatabase, testDatabase } from './database';
import { newKeyDirectory } from './keys';
import { addPerson, testConfiguration } from './played-worker';
import { type ServerProxy, startProxy } from './proxy';

type Members = Readonly<Record<string, unknown>>;

export interface LookupAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Without the id of the request, which differs each time. */
  readonly body: Members;
}

/** The lookup service in the process of the test, with a role of its own, and a database with people and credentials. */
export interface TestLookup {
  readonly url: string;
  readonly database: TestDatabase;
  /** The connection of the service, through a proxy. */
  readonly limited: OpenDatabase;
  /** Stands between the service and its database. */
  readonly proxy: ServerProxy;
  readonly master: MasterKey;
  readonly keyDir: string;
  /** The id of the API key of a person, and the key itself. */
  readonly keyOf: (person: string) => { readonly id: string; readonly key: string };
  send(person: string, method: 'GET' | 'POST', path: string, body?: Members): Promise<LookupAnswer>;
  configure(applications: Members, further?: Members): Promise<void>;
  /** Links an account of the warehouse to an application, and stores its credential. @returns the id of the mapping */
  store(
    person: string,
    application: string,
    password: string | null,
    account?: string,
  ): Promise<string>;
  /** Each record of the audit that the service wrote since the last call. */
  audited(): Promise<readonly { readonly action: string; readonly detail: Members }[]>;
  stop(): Promise<void>;
}

export interface LookupOptions {
  readonly people: readonly string[];
  /** Wraps the master keys, such as to make them unavailable. */
  readonly keys?: (keys: MasterKeys) => MasterKeys;
  /** When a database that does not answer counts as away. By default later than on any slow machine. */
  readonly answersWithinMs?: number;
}

let roles = 0;

export async function startTestLookup({
  people,
  keys,
  answersWithinMs = 30_000,
}: LookupOptions): Promise<TestLookup> {
  const database = await testDatabase();
  const { db } = database;
  const { dir, keys: store } = await newKeyDirectory();
  const master = await store.currentMasterKey();
  await applyConfiguration(db, testConfiguration, 0, 'test', accountRulesOf);
  const apiKeys = new Map<string, { readonly id: string; readonly key: string }>();
  for (const name of people) {
    await addPerson(db, name);
    apiKeys.set(name, await newLookupKey(database, name));
  }
  const role = `lookup_${process.pid}_${roles++}`;
  const { hostname: host, port: databasePort } = new URL(database.url);
  const proxy = await startProxy({ host, port: Number(databasePort) });
  const limited = await openLimited(database, role, proxy, answersWithinMs);
  const opened = lookupKeys(openMasterFolder(dir));
  const deps = openLookup(limited.db, keys?.(opened) ?? opened);
  const server = http.createServer(createLookupApp(deps));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const keyOf = (person: string) => apiKeys.get(person) ?? { id: '', key: '' };
  let seen = 0;
  return {
    ...{ url, database, limited, proxy, master, keyDir: dir, keyOf },
    send: (person, method, path, body) => send(url, keyOf(person).key, method, path, body),
    async configure(applications, further = {}) {
      const document = { ...testConfiguration, applications, ...further };
      const { version } = await currentConfiguration(db);
      const parsed = configurationSchema.parse(document);
      await applyConfiguration(db, parsed, version, 'test', accountRulesOf);
    },
    store: (...wanted) => storeCredential(database, master, ...wanted),
    async audited() {
      const { rows } = await sql<{ id: number; action: string; detail: Members }>`
        select id, action, detail || jsonb_build_object('subject', subject) as detail from audit
        where id > ${seen} and (action like 'credential.%' or action like 'ticket.%') order by id`.execute(
        db,
      );
      seen = rows.at(-1)?.id ?? seen;
      return rows.map(({ action, detail }) => ({ action, detail }));
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await deps.close();
      await limited.close();
      await proxy.stop();
      await sql.raw(`drop owned by ${role}`).execute(db);
      await sql.raw(`drop role ${role}`).execute(db);
      await database.close();
    },
  };
}

async function openLimited(
  database: TestDatabase,
  role: string,
  proxy: ServerProxy,
  answersWithinMs: number,
): Promise<OpenDatabase> {
  await sql.raw(`create role ${role} login password 'local'`).execute(database.db);
  await sql`select lookup.grant_to(${role})`.execute(database.db);
  const url = new URL(database.url);
  url.username = role;
  url.password = 'local';
  url.port = String(proxy.address.port);
  return openLookupDatabase(url.href, 'lookup test', answersWithinMs);
}

async function newLookupKey({ db }: TestDatabase, name: string) {
  const identityId = (await findIdentity(db, { name }))?.id ?? '';
  const wanted = { name, scopes: ['lookup'] as const, groups: null, expiresAt: null, identityId };
  return createApiKey(db, wanted, 'test');
}

async function storeCredential(
  { db }: TestDatabase,
  master: MasterKey,
  person: string,
  application: string,
  password: string | null,
  account = person,
): Promise<string> {
  const identity = await findIdentity(db, { name: person });
  const found = identity?.accounts.find(
    ({ source, name }) => source === 'warehouse' && name === account,
  );
  const [identityId, accountId] = [identity?.id ?? '', found?.id ?? ''];
  await linkMapping(db, { identityId, application, accountId, enabled: true }, 'test');
  const { rows } = await sql<{ id: string }>`
    select id from mapping where application = ${application} and account_id = ${accountId}`.execute(
    db,
  );
  const id = rows[0]?.id ?? '';
  if (password === null) return id;
  const secret = Secret.fromText(password);
  await sql`update mapping set sealed = ${sealCredential(master, id, 1, secret)}, master_key_id = ${master.id},
            applied_seq = 1, state = 'in_sync' where id = ${id}`.execute(db);
  secret.destroy();
  return id;
}

async function send(
  url: string,
  key: string,
  method: string,
  path: string,
  sent?: Members,
): Promise<LookupAnswer> {
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(sent && { 'content-type': 'application/json' }),
    },
    ...(sent && { body: JSON.stringify(sent) }),
  });
  const { requestId: _, ...body } = (await answer.json()) as Members;
  return { status: answer.status, headers: answer.headers, body };
}
