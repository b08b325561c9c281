import net from 'node:net';

/**
 * A TCP port that nobody listens on at this moment. Below the range that the system hands out to clients, so that a
 * connection of somebody else does not take it before our server does.
 */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    if (await canListen(port, host)) return port;
  }
  throw new Error(`No free port on ${host}`);
}

/**
 * Starts something on the port that people know, or on any other when somebody has it, or takes it in the moment
 * between looking and starting: two clones may start at once.
 */
export async function onPort<T>(known: number, start: (port: number) => Promise<T>): Promise<T> {
  if (!(await canListen(known, '127.0.0.1'))) return start(await freePort());
  try {
    return await start(known);
  } catch {
    // Whoever has it may only have looked whether it is free, and be gone again. What else is wrong is so there, too.
    return start(await freePort());
  }
}

function canListen(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}

export function acceptsConnections(port: number, host = '127.0.0.1'): Promise<boolean> {
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
