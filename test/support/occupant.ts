import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net, { type Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { certificatesIn } from '../../local/certificates';
import type { Address } from '../../local/ports';

/**
 * Another process's server on a port that ours is to have. It answers as a server of another clone does: TLS with a valid
 * certificate of another authority, also after a request of a PostgreSQL client, and 200 for every HTTP request.
 */
export interface Occupant {
  readonly address: Address;
  stop(): Promise<void>;
}

export async function occupy(address: Address): Promise<Occupant> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'lockstep-occupant-'));
  const { keyFile, certFile } = await certificatesIn(dir);
  const context = { key: readFileSync(keyFile), cert: readFileSync(certFile) };
  rmSync(dir, { recursive: true });
  const sockets = new Set<Socket>();
  const listener = net.createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    answer(socket, context);
  });
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(address.port, address.host, resolve);
  });
  return {
    address,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}

const TLS_HANDSHAKE = 0x16;
const POSTGRES_REQUEST = 0x00;

function answer(socket: Socket, context: tls.SecureContextOptions): void {
  socket.once('data', (first) => {
    if (first[0] === POSTGRES_REQUEST) {
      socket.write('S');
      answer(socket, context);
    } else if (first[0] === TLS_HANDSHAKE) {
      socket.pause();
      socket.unshift(first);
      const secure = new tls.TLSSocket(socket, { isServer: true, ...context });
      secure.on('error', () => socket.destroy());
      secure.resume();
    } else {
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}');
    }
  });
}
