import path from 'node:path';
import { certificatesIn } from '../../../local/certificates';
import { mariadbProgram, startMariadb } from '../../../local/mariadb';
import { CannotBeHad, type ServerStarter } from '../servers';

/** MariaDB. Facts: `url` of root, `port`, `caFile`, `otherCaFile` of an authority that did not issue its certificate, `logFile`. */
export const mariadb: ServerStarter = {
  name: 'mariadb',
  start: async (dir, report) => {
    const program = await mariadbProgram(report).catch((error: Error) => {
      throw new CannotBeHad(error.message);
    });
    const server = await startMariadb({ dir, program });
    const other = await certificatesIn(path.join(dir, 'other'));
    const { url, port, caFile, logFile } = server;
    const facts = { url, port: String(port), caFile, otherCaFile: other.caFile, logFile };
    return { facts, stop: server.stop };
  },
};
