import { chmodSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { Misconfigured } from '../../config';
import { log } from '../../log';
import { zeroableBytes } from '../../model/passwords/zeroable';
import { listenAlone } from '../exclusive-socket';
import { grants, makePrivateFolder, onWindows } from '../platform';
import {
  type HandedOver,
  type HandOverRefusal,
  LENGTH_BYTES,
  MOST_BYTES,
  parseMessage,
} from './protocol';

/** @returns null when the capture is durable */
export type Take = (capture: HandedOver) => Promise<HandOverRefusal | null>;

export interface HandOverListener {
  /** What is under way is answered. */
  close(): Promise<void>;
}

const MOST_CONNECTIONS = 200;
/** A message comes at once; between two, a shim may keep its connection so long. */
const IDLE_MS = 60_000;
const MESSAGE_MS = 5_000;

/**
 * Listens where captures are handed over: on this machine only, and only to whom the mode of the socket lets in (on
 * Windows: to administrators).
 * @throws Misconfigured when another relay listens there, or others could put a socket of theirs in its place
 */
export async function listenForCaptures(
  socket: string,
  mode: number,
  take: Take,
): Promise<HandOverListener> {
  if (!onWindows) prepareFolder(path.dirname(socket));
  const finishers = new Set<() => void>();
  const server = net.createServer((connection) => {
    const finish = serve(connection, take);
    finishers.add(finish);
    connection.once('close', () => finishers.delete(finish));
  });
  server.maxConnections = MOST_CONNECTIONS;
  if (!(await listenAlone(server, socket)))
    throw new Misconfigured(`Another relay listens on ${socket}`);
  if (!onWindows) chmodSync(socket, mode);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const finish of finishers) finish();
      }),
  };
}

const WRITABLE_BY_ALL = 0o002;

function prepareFolder(folder: string): void {
  makePrivateFolder(folder);
  if (grants(folder, WRITABLE_BY_ALL))
    throw new Misconfigured(
      `Everybody may write to ${folder}, and so take the place of the relay: choose another folder for its socket`,
    );
}

/**
 * One message after the other, each answered before the next is looked at.
 * @returns what ends the connection after the answer that is under way
 */
function serve(connection: net.Socket, take: Take): () => void {
  const held = zeroableBytes(LENGTH_BYTES + MOST_BYTES);
  let length = 0;
  let busy = false;
  let last = false;

  const answer = (refusal: HandOverRefusal | null): void => {
    connection.write(refusal === null ? '+\n' : `-${refusal}\n`);
  };
  const next = async (): Promise<void> => {
    if (busy || length < LENGTH_BYTES) return;
    const end = LENGTH_BYTES + held.readUInt32BE(0);
    if (end > held.length) return refuse();
    if (length < end) return;
    busy = true;
    const capture = parseMessage(held.subarray(LENGTH_BYTES, end));
    held.copyWithin(0, end, length);
    held.fill(0, length - end, length);
    length -= end;
    if (capture === null) return refuse();
    try {
      answer(await take(capture));
    } finally {
      capture.password.destroy();
      capture.current?.destroy();
    }
    busy = false;
    if (last) return finish();
    connection.setTimeout(length > 0 ? MESSAGE_MS : IDLE_MS);
    await next();
  };
  const finish = (): void => {
    last = true;
    if (!busy) connection.end();
  };
  /** Where the next message would begin is not known any more. */
  const refuse = (): void => {
    held.fill(0);
    answer('malformed');
    connection.end();
  };

  connection.setTimeout(IDLE_MS, () => connection.destroy());
  connection.on('data', (chunk) => {
    const room = held.length - length;
    const fits = chunk.length <= room;
    if (fits) length += chunk.copy(held, length);
    chunk.fill(0);
    if (!fits) return refuse();
    if (!busy) connection.setTimeout(MESSAGE_MS);
    next().catch((error) => {
      log.error('a capture that was handed over could not be answered', { error });
      connection.destroy();
    });
  });
  connection.on('error', () => {});
  connection.once('close', () => held.fill(0));
  return finish;
}
