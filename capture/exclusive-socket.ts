import { rmSync } from 'node:fs';
import net from 'node:net';
import { onWindows } from './platform';

/**
 * Listens on a socket of this machine where nobody else does: what a process that was killed left behind is taken away.
 * Nobody but our user may come in, until somebody allows more. A pipe of Windows ends with its process, and lets in its
 * user, LocalSystem and the administrators.
 * @returns false when somebody listens there
 */
export async function listenAlone(server: net.Server, socket: string): Promise<boolean> {
  if (await isListening(socket)) return false;
  if (onWindows) return listen(server, socket);
  rmSync(socket, { force: true });
  const before = process.umask(0o177);
  try {
    return await listen(server, socket);
  } finally {
    process.umask(before);
  }
}

const listen = (server: net.Server, socket: string): Promise<boolean> =>
  new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(false) : reject(error),
    );
    server.listen(socket, () => resolve(true));
  });

const isListening = (socket: string): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = net.connect(socket, () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
