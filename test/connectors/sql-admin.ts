import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net, { type Socket } from 'node:net';
import { type Connection, createConnection } from 'mysql2/promise';
import { Client } from 'pg';
import type { Connector } from '../../connectors/contract';
import { connectorKinds } from '../../connectors/registry';
import { createDatabase } from '../../local/postgres';
import { Secret } from '../../model/passwords/secret';
import { startProxy } from '../support/proxy';
import { server } from '../support/servers';
import type { Settings, Subject } from './conformance/subject';
import { asking } from './requests';

export const unique = (prefix: string): string => `${prefix}_${randomBytes(6).toString('hex')}`;

/** The superuser of the test server, in a new database. Its queries may be sent together. */
export async function postgresAdmin(): Promise<Client> {
  const url = await createDatabase({ url: server('postgres').url ?? '' }, unique('test'));
  const client = oneAtATime(new Client({ connectionString: url }));
  await client.connect();
  return client;
}

/** Each query waits for the end of the one before, which `pg` leaves to its callers from version 9 on. */
function oneAtATime(client: Client): Client {
  const query = client.query.bind(client) as (...args: unknown[]) => Promise<unknown>;
  let last: Promise<unknown> = Promise.resolve();
  const queued = (...args: unknown[]) => {
    last = last.catch(() => undefined).then(() => query(...args));
    return last;
  };
  client.query = queued as Client['query'];
  return client;
}

/** Root of the test server, in a new database. */
export async function mariadbAdmin(): Promise<Connection> {
  const { url, caFile = '' } = server('mariadb');
  const ssl = { ca: readFileSync(caFile, 'utf8'), verifyIdentity: true };
  const connection = await createConnection({ uri: url, ssl, multipleStatements: true });
  const database = unique('test');
  await connection.query(`create database ${database}; use ${database}`);
  return connection;
}

/** What a PostgreSQL server says before TLS. */
export async function postgresAgreesToTls(socket: Socket): Promise<void> {
  await once(socket, 'data');
  socket.write('S');
}

/** What a MariaDB server says before TLS, from its own mouth. */
export async function mariadbAgreesToTls(socket: Socket): Promise<void> {
  const real = net.connect(Number(server('mariadb').port), '127.0.0.1');
  const [greeting] = await once(real, 'data');
  real.destroy();
  socket.write(greeting);
  // The client does not wait for an answer to its request, so the first bytes of TLS may come along.
  await once(socket, 'readable');
  socket.read(SSL_REQUEST_BYTES);
}

const SSL_REQUEST_BYTES = 36;

/** The same reason for several promises. */
export const because = (reason: string, titles: readonly string[]): Record<string, string> =>
  Object.fromEntries(titles.map((title) => [title, reason]));

/** Opens connectors of the subject, with changes to its settings, and closes them after the suite. */
export function openerOf(subject: Subject): (changes?: Settings) => Promise<Connector> {
  const opened: Connector[] = [];
  afterAll(() => Promise.all(opened.map((connector) => connector.close())));
  const resolve = (reference: string) => {
    const secret = subject.secrets[reference];
    if (secret === undefined) throw new Error('There is no such secret');
    return Secret.fromText(secret);
  };
  return async (changes = {}) => {
    const kind = connectorKinds.get(subject.kind);
    if (kind === undefined) throw new Error(`No connector kind ${subject.kind}`);
    const settings = { ...subject.settings(subject.server), ...changes };
    const connector = await kind.open(settings, { resolve });
    opened.push(connector);
    return connector;
  };
}

/** That Lockstep does not lock out its own account; each connection is a login here. */
export function serviceLoginPromises(subject: Subject): void {
  const open = openerOf(subject);

  test('a crowd with a wrong service password makes one login, and none for a while', async () => {
    const account = await subject.account();
    const proxy = await startProxy(subject.server);
    const connector = await open({
      ...subject.settings(proxy.address),
      ...subject.wrong.servicePassword,
    });
    const write = () => connector.setPassword(asking(account.ref, Secret.fromText('The new one')));
    const refused = { result: 'retry', reason: 'service_credential_refused' };
    const crowd = await Promise.all(Array.from({ length: 30 }, write));
    for (const answer of [...crowd, await write()]) expect(answer).toMatchObject(refused);
    expect(proxy.accepted()).toBe(1);
    // Somebody asks whether it is right by now.
    await connector.check();
    expect(proxy.accepted()).toBe(2);
    await proxy.stop();
  });
}
