import net from 'node:net';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export const loopback = (port: number): Address => ({ host: '127.0.0.1', port });

/** Another process has a port that a server of ours was to open. */
export class PortTaken extends Error {}

const MAX_TRIES = 5;

/**
 * A TCP port on which no process listens at this moment. It lies below the range from which the system gives ports to
 * clients, so that an outgoing connection does not take it before our server does.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    if (await isFree(loopback(port))) return port;
  }
  throw new Error('No free port on 127.0.0.1');
}

/** Starts a server on a free port, and on another one when a process takes the port before the server does. */
export async function onFreePort<T>(start: (port: number) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++)
    try {
      return await start(await freePort());
    } catch (error) {
      if (!(error instanceof PortTaken) || tries === MAX_TRIES) throw error;
    }
}

/** Starts a server on its documented port, or on another one when that port is taken, also when two clones start at once. */
export async function onPort<T>(known: number, start: (port: number) => Promise<T>): Promise<T> {
  if (!(await isFree(loopback(known)))) return onFreePort(start);
  try {
    return await start(known);
  } catch {
    // Another clone may have held the port only while it looked whether the port is free, so that the port looks free
    // again. An error with another cause comes back from the second start.
    return onFreePort(start);
  }
}

/** Whether a server could listen there now. */
export function isFree({ host, port }: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}

/** Whether any process listens there. It does not show which one: see `proofs.ts`. */
export function acceptsConnections({ host, port }: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host });
    const answer = (open: boolean) => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
  });
}
