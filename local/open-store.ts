import { environment, passedOn } from '../config';
import type { Report } from './debian';
import { serverDir } from './places';
import { createDatabase, type LocalPostgres, supervisePostgres } from './postgres';

/** The database of Lockstep: a server that we start, unless `DATABASE_URL` names another one. */
export interface Store {
  readonly url: string;
  /** Variables that the driver reads for it. */
  readonly env: Readonly<Record<string, string>>;
  readonly server: LocalPostgres | null;
  stop(): Promise<void>;
}

export async function openStore(stateDir: string, report: Report): Promise<Store> {
  const { DATABASE_URL } = environment;
  if (DATABASE_URL !== undefined)
    return {
      url: DATABASE_URL,
      env: passedOn(DRIVER_VARIABLES),
      server: null,
      stop: async () => {},
    };
  const server = await supervisePostgres({ dir: serverDir(stateDir, 'postgres'), report });
  const url = await createDatabase(server, 'lockstep');
  return { url, env: {}, server, stop: () => server.stop() };
}

/** An operator may give in these what `DATABASE_URL` leaves out. They do not apply to a server that we start. */
const DRIVER_VARIABLES = [
  'DATABASE_DIRECT_URL',
  ...['PGHOST', 'PGPORT', 'PGUSER', 'PGPASSWORD', 'PGPASSFILE', 'PGDATABASE', 'PGSSLMODE'],
  ...['PGSSLNEGOTIATION', 'PGOPTIONS', 'PGCONNECT_TIMEOUT', 'PGCLIENT_ENCODING'],
];
