import type { TLSSocket } from 'node:tls';
import { Client, ResultCodeError } from 'ldapts';
import { NoReply, NotSent } from './failures';
import { certificateCode, connectTls, type Endpoint } from './tls-socket';

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
    // The connection has TLS already. With any other protocol the client would open one without.
    url: endpoint.url.replace(/^ldap:/, 'ldaps:'),
    timeout: endpoint.timeoutMs,
    connectTimeout: endpoint.timeoutMs,
    createSecureConnection: () => {
      const connected = unused.pop();
      if (connected === undefined) throw new Error('A link is not opened again');
      return connected;
    },
  });
  return linkOver(client, socket, certificateCode(endpoint));
}

/** @param certificateProblem what it means that the server ends the connection before its first answer */
function linkOver(client: Client, socket: TLSSocket, certificateProblem: string): Link {
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
        if (!refused) throw new NoReply(lacksCertificate ? certificateProblem : null);
        return { ok: false, code: error.code, text: error.message };
      }
    },
  };
}

/** OpenSSL knows shared signature algorithms on the side of the client only if the server has requested a certificate. */
const requestsCertificate = (socket: TLSSocket) => socket.getSharedSigalgs().length > 0;
