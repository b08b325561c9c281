import { chmodSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { Misconfigured } from '../../config';
import { log } from '../../log';
import { zeroableBytes } from '../../model/passwords/zeroable';
import { listenExclusively } from '../exclusive-socket';
import { grants, makePrivateFolder, onWindows } from '../platform';
import {
  type HandedOver,
  type HandOverRefusal,
  LENGTH_BYTES,
  MAX_BYTES,
  parseMessage,
} from './protocol';

/** Accepts a capture. @returns null once the capture is durable, otherwise the reason for refusing it */
export type IngestCapture = (capture: HandedOver) => Promise<HandOverRefusal | null>;

/** The socket on which a relay accepts captures. */
export interface HandOverListener {
  /** Stops listening. Messages in progress are still answered. */
  close(): Promise<void>;
}

const MAX_CONNECTIONS = 200;
/** A shim may keep an idle connection for this long between two messages. */
const IDLE_MS = 60_000;
const MESSAGE_MS = 5_000;

/**
 * Listens for captures on a local socket. The mode of the socket decides which users may connect; on Windows only
 * administrators and LocalSystem may.
 * @throws Misconfigured if another relay listens there, or if every user could replace the socket
 */
export async function listenForCaptures(
  socket: string,
  mode: number,
  ingest: IngestCapture,
): Promise<HandOverListener> {
  if (!onWindows) prepareFolder(path.dirname(socket));
  const finishers = new Set<() => void>();
  const server = net.createServer((connection) => {
    const finish = serve(connection, ingest);
    finishers.add(finish);
    connection.once('close', () => finishers.delete(finish));
  });
  server.maxConnections = MAX_CONNECTIONS;
  if (!(await listenExclusively(server, socket)))
    throw new Misconfigured(
      `Another relay listens on ${socket}: stop it, or set another socket for this relay`,
    );
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
      `Every user may write to ${folder} and could replace the socket of the relay: choose another folder for it`,
    );
}

/**
 * Serves one connection: messages one at a time, each answered before the next is parsed.
 * @returns a function that closes the connection after the current message is answered
 */
function serve(connection: net.Socket, ingest: IngestCapture): () => void {
  const held = zeroableBytes(LENGTH_BYTES + MAX_BYTES);
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
      answer(await ingest(capture));
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
  /** Rejects the message and closes the connection: the start of the next message is unknown. */
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
      log.error('the relay failed to process a capture and closed the connection', { error });
      connection.destroy();
    });
  });
  connection.on('error', () => {});
  connection.once('close', () => held.fill(0));
  return finish;
}
