import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net, { type Socket } from 'node:net';
import { type Connection, createConnection } from 'mysql2/promise';
import { Client } from 'pg';
import { createDatabase } from '../../local/postgres';
import { Secret } from '../../model/passwords/secret';
import { startProxy } from '../support/proxy';
import { server } from '../support/servers';
import type { Subject } from './conformance/subject';
import { openerOf } from './open-subject';
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

/** Agrees to TLS as a PostgreSQL server does. */
export async function postgresAgreesToTls(socket: Socket): Promise<void> {
  await once(socket, 'data');
  socket.write('S');
}

/** Agrees to TLS as a MariaDB server does, with the greeting of the real server. */
export async function mariadbAgreesToTls(socket: Socket): Promise<void> {
  const real = net.connect(Number(server('mariadb').port), '127.0.0.1');
  const [greeting] = await once(real, 'data');
  real.destroy();
  socket.write(greeting);
  // The client does not wait for a reply to its SSL request, so the first bytes of TLS may follow directly.
  await once(socket, 'readable');
  socket.read(SSL_REQUEST_BYTES);
}

const SSL_REQUEST_BYTES = 36;

/** Tests that Lockstep does not lock out its own service account. Each connection to the server is a login. */
export function serviceLoginPromises(subject: Subject): void {
  const open = openerOf(subject);

  test('many simultaneous calls with a wrong service password make a single login, and later calls make none for a time', async () => {
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
    // The check of `lockstep doctor` tries the password again at once.
    await connector.check();
    expect(proxy.accepted()).toBe(2);
    await proxy.stop();
  });
}
