import { isIP } from 'node:net';
import tls, { type TLSSocket } from 'node:tls';
import { Client, ResultCodeError } from 'ldapts';
import type { CodeOf } from '../../model/errors';
import { readCertificates } from '../certificates';

export interface Endpoint {
  readonly url: string;
  readonly ca?: string | undefined;
  readonly serverName?: string | undefined;
  readonly timeoutMs: number;
}

/** The request was not sent. */
export class NotSent extends Error {
  readonly reason: CodeOf<'offline'>;
  readonly vendorCode: string | null;

  constructor(reason: CodeOf<'offline'>, vendorCode: string | null = null) {
    super(`not sent: ${reason}`);
    this.reason = reason;
    this.vendorCode = vendorCode;
  }
}

/** The request was sent, and no reply came back. */
export class NoReply extends Error {
  readonly vendorCode: string | null;

  constructor(vendorCode: string | null = null) {
    super('no reply');
    this.vendorCode = vendorCode;
  }
}

/** Vendor code of our own: the server requires a certificate of the client. */
export const CLIENT_CERTIFICATE = 'client_certificate';

/**
 * A refusal by the server. `code` is the LDAP result code. `text` is only for the tables that classify the refusal, and
 * must not be passed on, because it may repeat a password.
 */
export interface LdapRefusal {
  readonly ok: false;
  readonly code: number;
  readonly text: string;
}

export type Reply<T> = { readonly ok: true; readonly value: T } | LdapRefusal;

/** One TLS connection. It is never reopened: ldapts would do that after a loss, without a login. */
export interface Link {
  /**
   * Sends a request and waits for the reply. Only one request may run at a time.
   * @throws NotSent | NoReply; the link cannot be used afterwards
   */
  ask<T>(request: (client: Client) => Promise<T>): Promise<Reply<T>>;
  usable(): boolean;
  destroy(): void;
}

/**
 * Result codes (RFC 4511 appendix A.1) that concern an entry, a value or the request. After any other code the
 * connection itself may be affected, so it is not used again.
 */
const ABOUT_THE_ENTRY = new Set([
  4, 5, 6, 8, 10, 11, 12, 13, 16, 17, 18, 19, 20, 21, 32, 34, 48, 49, 50, 53, 65, 122,
]);

/** Idle links are closed after this time. Servers and firewalls drop silent connections after minutes, often unnoticed. */
export const IDLE_MS = 30_000;

/** Opens a TLS connection, without a login. @throws NotSent */
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
  let mayLackCertificate = requestsCertificate(socket);
  const destroy = () => {
    socket.destroy();
  };
  return {
    usable,
    destroy,
    async ask(request) {
      if (!usable()) throw new NotSent('unreachable');
      try {
        const value = await request(client);
        mayLackCertificate = false;
        return { ok: true, value };
      } catch (error) {
        const refused = error instanceof ResultCodeError;
        // In TLS 1.3 a server that requires a certificate closes the connection after the handshake of the client.
        const lacksCertificate = mayLackCertificate && !usable();
        mayLackCertificate &&= !refused;
        if (!refused || !ABOUT_THE_ENTRY.has(error.code)) destroy();
        if (!refused) throw new NoReply(lacksCertificate ? CLIENT_CERTIFICATE : null);
        return { ok: false, code: error.code, text: error.message };
      }
    },
  };
}

/** OpenSSL knows shared signature algorithms on the side of the client only if the server has requested a certificate. */
const requestsCertificate = (socket: TLSSocket) => socket.getSharedSigalgs().length > 0;

/** Alerts with which a server ends a handshake without a certificate of the client (RFC 5246 §7.2.2, RFC 8446 §6.2). */
const CERTIFICATE_ALERT =
  /^ERR_SSL_\w*ALERT_(HANDSHAKE_FAILURE|BAD_CERTIFICATE|CERTIFICATE_REQUIRED)$/;

function connectTls(endpoint: Endpoint, timeoutMs: number): Promise<TLSSocket> {
  const { hostname, port } = new URL(endpoint.url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const name = endpoint.serverName ?? host;
  return new Promise((resolve, reject) => {
    const socket = tls.connect({
      host,
      port: Number(port || 636),
      // SNI does not allow addresses. Without it, Node checks the certificate against the host.
      ...(isIP(name) === 0 ? { servername: name } : {}),
      minVersion: 'TLSv1.2',
      ...trustedAuthority(endpoint),
    });
    const fail = (error: NotSent) => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(() => fail(new NotSent('unreachable', 'timeout')), timeoutMs);
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (CERTIFICATE_ALERT.test(error.code ?? ''))
        return fail(new NotSent('unreachable', CLIENT_CERTIFICATE));
      // Node sets authorizationError if it has received the certificate and does not trust it.
      fail(
        new NotSent(
          socket.authorizationError ? 'certificate_refused' : 'unreachable',
          error.code ?? null,
        ),
      );
    });
    socket.once('secureConnect', () => {
      clearTimeout(timer);
      socket.removeAllListeners('error');
      // No other listener handles an error between now and the first request.
      socket.on('error', () => socket.destroy());
      resolve(socket);
    });
  });
}

/** Reads the trusted authority. It is read for each connection, so that a new one is picked up. */
function trustedAuthority({ ca }: Endpoint): { ca: Buffer } | Record<string, never> {
  if (ca === undefined) return {};
  try {
    return { ca: readCertificates(ca) };
  } catch {
    throw new NotSent('certificate_refused', 'ca_not_readable');
  }
}
