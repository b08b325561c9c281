import { lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import tls from 'node:tls';
import type { buildConnector } from 'undici';
import { readCertificates } from '../certificates';
import { type AddressGuard, guardOf } from './addresses';
import { NotSent } from './failures';
import type { HttpSettings } from './settings';

/** Vendor code of our own: the host name resolves only to addresses that are not public and not allowed. */
export const PRIVATE_ADDRESS = 'private_address';

/**
 * Opens the TLS connections of one client. Each address is checked when it is resolved for the connection itself, so DNS
 * rebinding cannot bypass the check.
 */
export function connectorOf(settings: HttpSettings): buildConnector.connector {
  const guard = guardOf(settings.allowPrivateAddresses);
  return ({ hostname, port }, callback) => {
    const host = hostname.replace(/^\[|\]$/g, '');
    // Node does not call the lookup function for an address, so it is checked here.
    if (isIP(host) !== 0 && !guard(host, host)) return callback(privateAddress(), null);
    let authorities: Buffer | null;
    try {
      // The file is read for each connection, so that a new authority is picked up.
      authorities = settings.ca === undefined ? null : readCertificates(settings.ca);
    } catch {
      return callback(new NotSent('certificate_refused', 'ca_not_readable'), null);
    }
    connect(host, Number(port || 443), guard, authorities, settings, callback);
  };
}

const privateAddress = () => new NotSent('unreachable', PRIVATE_ADDRESS);

function connect(
  host: string,
  port: number,
  guard: AddressGuard,
  authorities: Buffer | null,
  { serverName, timeoutMs }: HttpSettings,
  callback: buildConnector.Callback,
): void {
  const name = serverName ?? host;
  const socket = tls.connect({
    host,
    port,
    // SNI does not allow addresses. Without it, Node checks the certificate against the host.
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ...(authorities === null ? {} : { ca: authorities }),
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ALPNProtocols: ['http/1.1'],
    lookup: guarded(guard),
  });
  socket.setNoDelay(true);
  const end = (error: Error | null) => {
    clearTimeout(timer);
    socket.removeListener('error', fail);
    if (error === null) return callback(null, socket);
    socket.on('error', () => undefined).destroy();
    callback(error, null);
  };
  const fail = (error: Error) => end(failureOf(error, socket));
  const timer = setTimeout(() => end(new NotSent('unreachable', 'timeout')), timeoutMs);
  socket.once('error', fail);
  socket.once('secureConnect', () => end(null));
}

/** Resolves names like the system, but returns only addresses that the guard allows. */
const guarded =
  (guard: AddressGuard): LookupFunction =>
  (host, options, callback) => {
    lookup(host, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, []);
      const allowed = addresses.filter(({ address }) => guard(host, address));
      if (allowed[0] === undefined) return callback(privateAddress(), []);
      if (options.all === true) callback(null, allowed);
      else callback(null, allowed[0].address, allowed[0].family);
    });
  };

function failureOf(error: NodeJS.ErrnoException, socket: tls.TLSSocket): NotSent {
  if (error instanceof NotSent) return error;
  const code = error.code ?? null;
  // Node sets authorizationError if it has received the certificate and does not trust it.
  const untrusted = Boolean(socket.authorizationError) || code?.startsWith('ERR_SSL_');
  return new NotSent(untrusted ? 'certificate_refused' : 'unreachable', code);
}
