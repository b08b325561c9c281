import type { RowDataPacket } from 'mysql2/promise';
import { encode, holds } from '../../../connectors/encodings';
import { Secret } from '../../../model/passwords/secret';
import { mariadbAdmin, unique } from '../../connectors/sql-admin';
import { serviceSecret } from '../company';
import { server } from '../servers';
import type { ExternalSystem } from './external';

const SCHEME = 'ssha512';

/** The table of an application in MariaDB. */
export async function mariadbTable(): Promise<ExternalSystem> {
  const client = await mariadbAdmin();
  const { port, caFile: ca } = server('mariadb');
  const user = unique('service');
  const password = '${env:TEST_SQL}';
  await client.query(`
    create table staff (login varchar(100) primary key, hash varchar(255) not null);
    create user ${user} identified by '${serviceSecret(password).text()}';
    grant select, update on staff to ${user}`);
  const [found] = await client.query<RowDataPacket[]>('select database() as name');
  const hashOf = async (login: string): Promise<string> => {
    const [rows] = await client.execute<RowDataPacket[]>('select hash from staff where login = ?', [
      login,
    ]);
    return rows[0]?.hash ?? '';
  };
  const hashed = (text: string) => encode(SCHEME, Secret.fromText(text));
  return {
    address: { host: '127.0.0.1', port: Number(port) },
    configuration: (at) => ({
      kind: 'sql-column',
      settings: {
        ...{ engine: 'mysql', ...at, serverName: 'localhost', ca, user, password },
        ...{ database: found[0]?.name, table: 'staff', keyColumn: 'login' },
        ...{ passwordColumn: 'hash', scheme: SCHEME, timeoutMs: 2_000 },
      },
    }),
    async addAccount(source) {
      const name = unique('person');
      await client.execute('insert into staff values (?, ?)', [
        name,
        await hashed(unique('first')),
      ]);
      return {
        ...{ source, name },
        logsIn: async (text) => (await holds(await hashOf(name), Secret.fromText(text))) === true,
        async changeThere(text) {
          await client.execute('update staff set hash = ? where login = ?', [
            await hashed(text),
            name,
          ]);
        },
      };
    },
    async remove({ name }) {
      await client.execute('delete from staff where login = ?', [name]);
    },
    stop: () => client.end(),
  };
}
