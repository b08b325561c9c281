import path from 'node:path';
import { onDebian, unpackedDebs } from '../../../local/debian';
import { CannotBeHad, type ServerStarter } from '../servers';

/** promtool of Prometheus, from the package of Debian; no server is started. Fact: `program`. */
export const promtool: ServerStarter = {
  name: 'promtool',
  start: async (_dir, report) => {
    if (!onDebian()) throw new CannotBeHad('promtool is fetched from Debian only');
    const root = await unpackedDebs('prometheus', ['prometheus'], report).catch((error: Error) => {
      throw new CannotBeHad(error.message);
    });
    return { facts: { program: path.join(root, 'usr/bin/promtool') }, stop: async () => {} };
  },
};
