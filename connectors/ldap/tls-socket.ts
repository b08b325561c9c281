import { isIP, type Socket } from 'node:net';
import tls, { type SecureContext, type TLSSocket } from 'node:tls';
import type { Secret } from '../../model/passwords/secret';
import { readCertificates } from '../certificates';
import { NotSent } from './failures';
import { socketForTls } from './start-tls';

/** A server of a source, and how to connect to it. */
export interface Endpoint {
  /** `ldaps://` for TLS from the first byte, `ldap://` for StartTLS. */
  readonly url: string;
  readonly ca?: string | undefined;
  readonly serverName?: string | undefined;
  readonly timeoutMs: number;
  /** File with the certificate of the client (PEM). */
  readonly clientCertificate?: string | undefined;
  /** Returns the key of that certificate. The caller destroys it. */
  readonly resolveClientKey?: (() => Secret) | undefined;
}

/** Vendor codes of our own: the server requires a certificate of the client, or rejects that of Lockstep. */
export const CLIENT_CERTIFICATE = 'client_certificate';
export const CLIENT_CERTIFICATE_REFUSED = 'client_certificate_refused';
/** Vendor code of our own: the certificate of the client or its key cannot be used. */
export const CLIENT_KEY = 'client_key';

/** What it means that the server ends the connection for want of a certificate that it trusts. */
export const certificateCode = ({ clientCertificate }: Endpoint): string =>
  clientCertificate === undefined ? CLIENT_CERTIFICATE : CLIENT_CERTIFICATE_REFUSED;

/** Alerts by which a server refuses a connection for its certificate (RFC 5246 §7.2.2, RFC 8446 §6.2). */
const CERTIFICATE_ALERT =
  /^ERR_SSL_\w*ALERT_(HANDSHAKE_FAILURE|BAD_CERTIFICATE|CERTIFICATE_REQUIRED|CERTIFICATE_(UNKNOWN|EXPIRED|REVOKED)|UNKNOWN_CA|ACCESS_DENIED)$/;

/** Opens a TLS connection with a checked certificate. @throws NotSent */
export async function connectTls(endpoint: Endpoint, timeoutMs: number): Promise<TLSSocket> {
  const end = performance.now() + timeoutMs;
  const { protocol, hostname, port } = new URL(endpoint.url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const secureContext = contextOf(endpoint);
  if (protocol === 'ldaps:')
    return handshake(endpoint, { host, port: Number(port || 636), secureContext }, timeoutMs);
  const socket = await socketForTls(host, Number(port || 389), timeoutMs);
  return handshake(endpoint, { host, socket, secureContext }, end - performance.now());
}

interface TlsOptions {
  readonly host: string;
  readonly port?: number;
  /** A connection on which the server waits for the handshake. */
  readonly socket?: Socket;
  readonly secureContext: SecureContext;
}

function handshake(endpoint: Endpoint, options: TlsOptions, timeoutMs: number): Promise<TLSSocket> {
  const name = endpoint.serverName ?? options.host;
  return new Promise((resolve, reject) => {
    const socket = tls.connect({
      ...options,
      // SNI does not allow addresses. Without it, Node checks the certificate against the host.
      ...(isIP(name) === 0 ? { servername: name } : {}),
    });
    const fail = (error: NotSent) => {
      clearTimeout(timer);
      socket.destroy();
      options.socket?.destroy();
      reject(error);
    };
    const timer = setTimeout(() => fail(new NotSent('unreachable', 'timeout')), timeoutMs);
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (CERTIFICATE_ALERT.test(error.code ?? ''))
        return fail(new NotSent('unreachable', certificateCode(endpoint)));
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

/** The files are read for each connection, so that a new certificate is picked up. @throws NotSent */
function contextOf(endpoint: Endpoint): SecureContext {
  const { ca } = endpoint;
  const options = { minVersion: 'TLSv1.2', ...trustedAuthority(ca) } as const;
  if (endpoint.clientCertificate === undefined) return tls.createSecureContext(options);
  const { cert, key } = identityOf(endpoint);
  try {
    return key.use((bytes) => tls.createSecureContext({ ...options, cert, key: bytes }));
  } catch {
    throw new NotSent('service_credential_refused', CLIENT_KEY);
  } finally {
    key.destroy();
  }
}

function identityOf({ clientCertificate = '', resolveClientKey }: Endpoint): {
  readonly cert: Buffer;
  readonly key: Secret;
} {
  try {
    if (resolveClientKey === undefined) throw new Error('there is no key');
    return { cert: readCertificates(clientCertificate), key: resolveClientKey() };
  } catch {
    throw new NotSent('service_credential_refused', CLIENT_KEY);
  }
}

function trustedAuthority(ca: string | undefined): { ca: Buffer } | Record<string, never> {
  if (ca === undefined) return {};
  try {
    return { ca: readCertificates(ca) };
  } catch {
    throw new NotSent('certificate_refused', 'ca_not_readable');
  }
}
