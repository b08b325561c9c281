import path from 'node:path';
import { certificatesIn } from '../../../local/certificates';
import { startPostgres } from '../../../local/postgres';
import type { ServerStarter } from '../servers';

/**
 * PostgreSQL. Facts: `url` of the superuser, `port`, `caFile`, `otherCaFile` of an authority that did not issue its certificate,
 * `logFile`. Each test file creates its own database with `createDatabase`.
 */
export const postgres: ServerStarter = {
  name: 'postgres',
  start: async (dir, report) => {
    const server = await startPostgres({ dir, report, durable: false, extensions: ['dblink'] });
    const other = await certificatesIn(path.join(dir, 'other'));
    const { url, port, caFile, logFile } = server;
    const facts = { url, port: String(port), caFile, otherCaFile: other.caFile, logFile };
    return { facts, stop: server.stop };
  },
};
