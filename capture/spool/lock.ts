import net from 'node:net';
import { Misconfigured } from '../../config';
import { listenExclusively } from '../exclusive-socket';
import { grants, lockOf, makePrivateFolder } from '../platform';

/**
 * Locks the spool until this process ends, even if it is killed: two relays on one spool would remove each other's records.
 * @throws Misconfigured if another process holds the lock, or if other users can read the folder
 */
export async function lockSpool(dir: string): Promise<{ release(): Promise<void> }> {
  makePrivateFolder(dir);
  if (grants(dir, OTHERS))
    throw new Misconfigured(`${dir} can be read by other users: run "chmod go= ${dir}"`);
  const server = net.createServer((connection) => connection.destroy());
  if (!(await listenExclusively(server, lockOf(dir))))
    throw new Misconfigured(`Another relay uses the spool ${dir}: stop it first`);
  return { release: () => new Promise((resolve) => server.close(() => resolve())) };
}

const OTHERS = 0o077;
