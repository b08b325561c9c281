import { mkdir, stat } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { Misconfigured } from '../../config';
import { listenAlone } from '../listen-alone';

/**
 * Makes the spool ours until the process ends, however it ends: two relays would remove what the other writes.
 * @throws Misconfigured when another process has it, or others may read it
 */
export async function lockSpool(dir: string): Promise<{ release(): Promise<void> }> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await refuseOthers(dir);
  const server = net.createServer((connection) => connection.destroy());
  if (!(await listenAlone(server, path.join(dir, 'lock'))))
    throw new Misconfigured(`Another relay has the spool ${dir}`);
  return { release: () => new Promise((resolve) => server.close(() => resolve())) };
}

const OTHERS = 0o077;

async function refuseOthers(dir: string): Promise<void> {
  if (((await stat(dir)).mode & OTHERS) !== 0)
    throw new Misconfigured(`${dir} can be read by others: chmod go= it`);
}
