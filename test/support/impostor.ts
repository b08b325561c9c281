import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net, { type Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { certificatesIn } from '../../local/certificates';
import { freePort } from '../../local/ports';
import type { Address } from './proxy';

/** A false server whose certificate has the right names but is issued by an untrusted authority. */
export interface Impostor {
  readonly address: Address;
  /** The authority that has issued its certificate. */
  readonly caFile: string;
  /** Every byte that clients sent inside TLS, after the last client has disconnected. */
  heard(): Promise<Buffer>;
  stop(): Promise<void>;
}

/** Starts an impostor. @param beforeTls exchange before TLS starts, for protocols that have one @param answer to every message */
export async function startImpostor(
  beforeTls: (socket: Socket) => Promise<void> = async () => {},
  answer: Buffer | null = null,
): Promise<Impostor> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'impostor-'));
  const files = await certificatesIn(dir);
  const context = { key: readFileSync(files.keyFile), cert: readFileSync(files.certFile) };
  const heard: Buffer[] = [];
  const sockets = new Map<Socket, Promise<void>>();
  const listener = net.createServer((socket) => {
    sockets.set(socket, new Promise((resolve) => socket.once('close', () => resolve())));
    socket.on('error', () => socket.destroy());
    void beforeTls(socket).then(() => {
      const secure = new tls.TLSSocket(socket, { isServer: true, ...context });
      secure.on('data', (bytes) => {
        heard.push(bytes);
        if (answer !== null) secure.write(answer);
      });
      secure.on('error', () => socket.destroy());
    });
  });
  const port = await freePort();
  await new Promise<void>((resolve) => listener.listen(port, '127.0.0.1', resolve));
  return {
    address: { host: '127.0.0.1', port },
    caFile: files.caFile,
    async heard() {
      await Promise.all(sockets.values());
      return Buffer.concat(heard);
    },
    async stop() {
      for (const socket of sockets.keys()) socket.destroy();
      listener.close();
      rmSync(dir, { recursive: true });
    },
  };
}
