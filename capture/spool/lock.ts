import net from 'node:net';
import { Misconfigured } from '../../config';
import { listenAlone } from '../exclusive-socket';
import { grants, lockOf, makePrivateFolder } from '../platform';

/**
 * Makes the spool ours until the process ends, however it ends: two relays would remove what the other writes.
 * @throws Misconfigured when another process has it, or others may read it
 */
export async function lockSpool(dir: string): Promise<{ release(): Promise<void> }> {
  makePrivateFolder(dir);
  if (grants(dir, OTHERS)) throw new Misconfigured(`${dir} can be read by others: chmod go= it`);
  const server = net.createServer((connection) => connection.destroy());
  if (!(await listenAlone(server, lockOf(dir))))
    throw new Misconfigured(`Another relay has the spool ${dir}`);
  return { release: () => new Promise((resolve) => server.close(() => resolve())) };
}

const OTHERS = 0o077;
