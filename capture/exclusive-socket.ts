import { rmSync } from 'node:fs';
import net from 'node:net';
import { onWindows } from './platform';

/**
 * Listens on a local socket unless another process already does. A socket file that a killed process left is removed. Only
 * the user of this process may connect until the caller changes the mode. On Windows, a named pipe ends with its process and
 * admits its user, LocalSystem and the administrators.
 * @returns false if another process listens there
 */
export async function listenExclusively(server: net.Server, socket: string): Promise<boolean> {
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
