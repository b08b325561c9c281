import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import tls, { type TLSSocket } from 'node:tls';
import { Client, ResultCodeError } from 'ldapts';
import type { CodeOf } from '../../model/errors';

export interface Endpoint {
  readonly url: string;
  readonly ca?: string | undefined;
  readonly serverName?: string | undefined;
  readonly timeoutMs: number;
}

/** The request did not go out. */
export class NotSent extends Error {
  readonly reason: CodeOf<'offline'>;
  readonly vendorCode: string | null;

  constructor(reason: CodeOf<'offline'>, vendorCode: string | null = null) {
    super(`not sent: ${reason}`);
    this.reason = reason;
    this.vendorCode = vendorCode;
  }
}

/** The request went out, and no reply came back. */
export class NoReply extends Error {}

/** What the server refused. `text` is for the tables that judge it and goes no further: it may echo a password. */
export interface LdapRefusal {
  readonly ok: false;
  readonly code: number;
  readonly text: string;
}

export type Reply<T> = { readonly ok: true; readonly value: T } | LdapRefusal;

/**
 * One TLS connection, which is never opened again: ldapts would, without a login, when it is asked after a loss.
 */
export interface Link {
  /**
   * One request at a time.
   * @throws NotSent | NoReply, and the link is of no more use
   */
  ask<T>(request: (client: Client) => Promise<T>): Promise<Reply<T>>;
  usable(): boolean;
  destroy(): void;
}

/**
 * Result codes (RFC 4511 appendix A.1) that say something of an entry or a value. Any other one puts the connection in
 * question, and it is not used again.
 */
const ABOUT_THE_ENTRY = new Set([
  4, 5, 6, 12, 16, 17, 18, 19, 20, 21, 32, 34, 48, 49, 50, 53, 65, 122,
]);

/** Servers and firewalls drop connections that are silent for minutes, and not all of them say so. */
export const IDLE_MS = 30_000;

/** @throws NotSent */
export async function openLink(endpoint: Endpoint, timeoutMs: number): Promise<Link> {
  const socket = await connectTls(endpoint, Math.min(endpoint.timeoutMs, timeoutMs));
  socket.setNoDelay(true);
  // ldapts ends the connection on this event.
  socket.setTimeout(IDLE_MS);
  const unused = [socket];
  const client = new Client({
    url: endpoint.url,
    timeout: endpoint.timeoutMs,
    connectTimeout: endpoint.timeoutMs,
    createSecureConnection: () => {
      const connected = unused.pop();
      if (connected === undefined) throw new Error('A link is not opened again');
      return connected;
    },
  });
  return linkOver(client, socket);
}

function linkOver(client: Client, socket: TLSSocket): Link {
  const usable = () => socket.readyState === 'open';
  const destroy = () => {
    socket.destroy();
  };
  return {
    usable,
    destroy,
    async ask(request) {
      if (!usable()) throw new NotSent('unreachable');
      try {
        return { ok: true, value: await request(client) };
      } catch (error) {
        const refused = error instanceof ResultCodeError;
        if (!refused || !ABOUT_THE_ENTRY.has(error.code)) destroy();
        if (!refused) throw new NoReply();
        return { ok: false, code: error.code, text: error.message };
      }
    },
  };
}

function connectTls(endpoint: Endpoint, timeoutMs: number): Promise<TLSSocket> {
  const { hostname, port } = new URL(endpoint.url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const name = endpoint.serverName ?? host;
  return new Promise((resolve, reject) => {
    const socket = tls.connect({
      host,
      port: Number(port || 636),
      // SNI takes no addresses; without it, Node checks the certificate against the host.
      ...(isIP(name) === 0 ? { servername: name } : {}),
      minVersion: 'TLSv1.2',
      ...trusted(endpoint),
    });
    const fail = (error: NotSent) => {
      clearTimeout(patience);
      socket.destroy();
      reject(error);
    };
    const patience = setTimeout(() => fail(new NotSent('unreachable', 'timeout')), timeoutMs);
    socket.once('error', (error: NodeJS.ErrnoException) =>
      // Node sets this when it has seen the certificate and does not trust it.
      fail(
        new NotSent(
          socket.authorizationError ? 'certificate_refused' : 'unreachable',
          error.code ?? null,
        ),
      ),
    );
    socket.once('secureConnect', () => {
      clearTimeout(patience);
      socket.removeAllListeners('error');
      // Between now and the first request nobody else listens.
      socket.on('error', () => socket.destroy());
      resolve(socket);
    });
  });
}

/** Read for each connection, so that a new authority is picked up. */
function trusted({ ca }: Endpoint): { ca: Buffer } | Record<string, never> {
  if (ca === undefined) return {};
  try {
    return { ca: readFileSync(ca) };
  } catch (error) {
    throw new NotSent('certificate_refused', (error as NodeJS.ErrnoException).code ?? null);
  }
}
