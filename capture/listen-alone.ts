import { rmSync } from 'node:fs';
import net from 'node:net';

/**
 * Listens on a socket of this machine where nobody else does: what a process that was killed left behind is taken away.
 * Nobody but our user may come in, until somebody allows more.
 * @returns false when somebody listens there
 */
export async function listenAlone(server: net.Server, socket: string): Promise<boolean> {
  if (await isListening(socket)) return false;
  rmSync(socket, { force: true });
  const before = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(socket, resolve);
    });
    return true;
  } finally {
    process.umask(before);
  }
}

const isListening = (socket: string): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = net.connect(socket, () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
