import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http, { type RequestListener } from 'node:http';
import https from 'node:https';
import { type AddressInfo, BlockList, isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { Misconfigured } from '../../config';
import { type ErrorCode, errors } from '../../model/errors';
import { fileError, portError } from '../../start-errors';
import { countUnparsed } from './count-requests';
import { HttpProblem, headersOf, problemOf } from './problem';

export interface Listening {
  readonly host: string;
  readonly port: number;
  /** Null on loopback, where traffic does not leave the machine. */
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | null;
}

/** The variables that name the TLS files of a process. */
interface TlsVariables {
  readonly cert: string;
  readonly key: string;
}

/**
 * The address to listen on, and the TLS files.
 * @param names the variables that errors name
 * @throws Misconfigured if passwords would cross a network unencrypted
 */
export function listeningOn(
  host: string,
  port: number,
  certFile: string | undefined,
  keyFile: string | undefined,
  names: TlsVariables = {
    cert: 'LOCKSTEP_API_TLS_CERT_FILE',
    key: 'LOCKSTEP_API_TLS_KEY_FILE',
  },
): Listening {
  if (certFile !== undefined && keyFile !== undefined)
    return {
      host,
      port,
      tls: {
        cert: fileOf(names.cert, certFile),
        key: fileOf(names.key, keyFile),
      },
    };
  if (certFile !== undefined || keyFile !== undefined)
    throw new Misconfigured(`Set both ${names.cert} and ${names.key}`);
  if (isLoopback(host)) return { host, port, tls: null };
  throw new Misconfigured(
    `Passwords would cross the network unencrypted: set ${names.cert} and ${names.key}, or listen on 127.0.0.1 instead of ${host}`,
  );
}

function fileOf(variable: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw fileError(variable, file, error);
  }
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

function isLoopback(host: string): boolean {
  const family = isIP(host);
  return family === 0 ? host === 'localhost' : loopback.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

export interface ApiServer {
  /** The base URL, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Accepts no further requests, and resolves once open requests are answered, after ten seconds at the latest. */
  stop(): Promise<void>;
}

/** Limits for slow clients, in milliseconds. They do not limit how long an answer takes. */
const LIMITS = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 30_000,
  connectionsCheckingInterval: 1_000,
  // A request without Host gets a problem from the routes, instead of an answer without a body.
  requireHostHeader: false,
};

const STOP_WITHIN_MS = 10_000;
const CLOSE_IDLE_EVERY_MS = 50;

export async function startServer(
  app: RequestListener,
  { host, port, tls }: Listening,
  portVariable = 'LOCKSTEP_API_PORT',
): Promise<ApiServer> {
  const server =
    tls === null
      ? http.createServer(LIMITS, app)
      : https.createServer(
          { ...LIMITS, ...tls, minVersion: 'TLSv1.2', handshakeTimeout: LIMITS.headersTimeout },
          app,
        );
  server.on('clientError', answerUnparsed);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  }).catch((error) => {
    throw portError(portVariable, { host, port }, error);
  });
  const address = server.address() as AddressInfo;
  const shown = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return {
    url: `${tls === null ? 'http' : 'https'}://${shown}:${address.port}`,
    stop: () => stop(server),
  };
}

const unparsed: Readonly<Record<string, ErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_too_slow',
};

/** Answers a request that never reached the routes, because it could not be parsed, with a problem. */
function answerUnparsed({ code = '' }: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || code === 'ECONNRESET') return void socket.destroy();
  countUnparsed();
  const problem = new HttpProblem(unparsed[code] ?? 'request_malformed');
  const body = JSON.stringify(problemOf(problem, randomUUID()));
  const { status } = errors[problem.code];
  const lines = [
    `HTTP/1.1 ${status} ${http.STATUS_CODES[status]}`,
    ...Object.entries(headersOf(problem)).map(([name, value]) => `${name}: ${value}`),
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-store',
    'connection: close',
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
}

async function stop(server: http.Server | https.Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  const idle = setInterval(() => server.closeIdleConnections(), CLOSE_IDLE_EVERY_MS);
  const force = setTimeout(() => server.closeAllConnections(), STOP_WITHIN_MS);
  await closed;
  clearInterval(idle);
  clearTimeout(force);
}
