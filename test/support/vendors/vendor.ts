import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import type { z } from 'zod';
import { certificatesIn } from '../../../local/certificates';
import { freePort } from '../../../local/ports';
import { version } from '../../../package.json';
import type { Address } from '../proxy';

/** A request as the vendor documents it. A request of any other shape is an offence and fails the test. */
export interface Route {
  readonly method: string;
  /** The path; its groups are the parameters of `answer`. */
  readonly path: RegExp;
  /** Shape of the whole query. */
  readonly query?: z.ZodType;
  /** Type and shape of the body; without it there must be no body. */
  readonly content?: { readonly type: string; readonly shape: z.ZodType };
  /** The accepted form of the Authorization header; without it there must be no such header. */
  readonly authorization?: RegExp;
  readonly accept: string;
  /** Whether the request changes data. */
  readonly writes?: true;
  readonly answer: (request: Seen, ...parameters: string[]) => Answer | Promise<Answer>;
}

export interface Seen {
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** The body, which has the shape of the route. */
  readonly body: unknown;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  /** The body, if it is not JSON. */
  readonly text?: string;
}

/** Replaces one answer with a fault. `answer` performs the request and returns the normal answer. */
export type Mishap = (answer: () => Answer | Promise<Answer>) => VendorReply | Promise<VendorReply>;

type VendorReply = Answer | 'cut' | 'half' | 'drip' | 'flood';

export interface VendorServer {
  readonly address: Address;
  readonly caFile: string;
  /** CA certificate of an authority that did not issue the server's certificate. */
  readonly otherCaFile: string;
  /** Requests that the vendor does not document. */
  readonly offences: string[];
  /** All requests so far, as method and path. */
  readonly seen: readonly string[];
  /** Makes the next request that writes, or the next request of any kind, go wrong. */
  goWrong(mishap: Mishap, on?: 'write' | 'any'): void;
  /** Passes every answer through `change` from now on. Null ends it. */
  answering(change: Mishap | null): void;
  stop(): Promise<void>;
}

/** The only headers that a client needs to send. */
const HEADERS = [
  ...['host', 'connection', 'accept', 'authorization', 'content-type', 'content-length'],
  'user-agent',
];

/** Starts a vendor's API on loopback over TLS, which accepts only documented requests. */
export async function startVendor(routes: readonly Route[]): Promise<VendorServer> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'vendor-'));
  const files = await certificatesIn(dir);
  const other = await certificatesIn(path.join(dir, 'other'));
  const offences: string[] = [];
  const seen: string[] = [];
  const mishaps: { mishap: Mishap; on: 'write' | 'any' }[] = [];
  let changing: Mishap | null = null;

  const serve = (request: IncomingMessage, body: Buffer): VendorReply | Promise<VendorReply> => {
    const url = new URL(request.url ?? '', 'https://vendor');
    seen.push(`${request.method} ${url.pathname}`);
    const refuse = (offence: string): Answer => {
      offences.push(`${request.method} ${url.pathname}: ${offence}`);
      return { status: 400 };
    };
    const fitting = routes.filter(
      ({ method, path }) => method === request.method && path.test(url.pathname),
    );
    const type = request.headers['content-type'];
    const route = fitting.find(({ content }) => content?.type === type) ?? fitting[0];
    if (route === undefined) return refuse('no such operation');
    const offence = offenceOf(route, request.headers, url.searchParams, body);
    if (offence !== null) return refuse(offence);
    const parameters = (route.path.exec(url.pathname) ?? []).slice(1).map(decodeURIComponent);
    const answer = () =>
      route.answer(
        { query: url.searchParams, headers: request.headers, body: parsed(route, body) },
        ...parameters,
      );
    if (changing !== null) return changing(answer);
    const at = mishaps.findIndex(({ on }) => on === 'any' || route.writes === true);
    const [armed] = at < 0 ? [] : mishaps.splice(at, 1);
    return armed === undefined ? answer() : armed.mishap(answer);
  };

  const credentials = { key: readFileSync(files.keyFile), cert: readFileSync(files.certFile) };
  const server = https.createServer(credentials, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => reply(response, await serve(request, Buffer.concat(chunks))));
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    address: { host: '127.0.0.1', port },
    caFile: files.caFile,
    otherCaFile: other.caFile,
    offences,
    seen,
    goWrong: (mishap, on = 'write') => mishaps.push({ mishap, on }),
    answering(change) {
      changing = change;
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(dir, { recursive: true });
    },
  };
}

function offenceOf(
  route: Route,
  headers: IncomingHttpHeaders,
  query: URLSearchParams,
  body: Buffer,
): string | null {
  const strange = Object.keys(headers).filter((name) => !HEADERS.includes(name));
  if (strange.length > 0) return `headers ${strange.join(', ')}`;
  const agent = headers['user-agent'];
  if (agent !== `Lockstep/${version}`) return `user agent ${agent}`;
  if (headers.accept !== route.accept) return `accept ${headers.accept}`;
  const { authorization = '' } = headers;
  if (!(route.authorization ?? /^$/).test(authorization)) return 'authorization';
  if (headers['content-type'] !== route.content?.type)
    return `content type ${headers['content-type']}`;
  const parameters = Object.fromEntries(query);
  const hasRepeats = [...query.keys()].length !== Object.keys(parameters).length;
  const queryFits = route.query?.safeParse(parameters).success ?? query.size === 0;
  if (hasRepeats || !queryFits) return `query ${query}`;
  if (route.content === undefined) return body.length === 0 ? null : 'a body';
  const json = parsed(route, body);
  // The result must not contain the body, which holds a password.
  return route.content.shape.safeParse(json).success ? null : 'body';
}

function parsed({ content }: Route, body: Buffer): unknown {
  if (content === undefined) return null;
  const text = body.toString('utf8');
  if (content.type === 'application/x-www-form-urlencoded')
    return Object.fromEntries(new URLSearchParams(text));
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A response size that exceeds the limit of every connector. */
const FLOOD_BYTES = 8 * 1024 * 1024;
const DRIP_MS = 50;

export function reply(response: ServerResponse, answer: VendorReply): void {
  if (answer === 'cut') {
    response.socket?.destroy();
  } else if (answer === 'half') {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
    response.write('{"id":', () => response.socket?.destroy());
  } else if (answer === 'drip') {
    response.writeHead(200, { 'content-type': 'application/json' });
    const drip = setInterval(() => response.write(' '), DRIP_MS);
    response.on('close', () => clearInterval(drip));
  } else if (answer === 'flood') {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(Buffer.alloc(FLOOD_BYTES, ' '));
  } else {
    const { status, headers = {}, json, text } = answer;
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(text ?? (json === undefined ? '' : JSON.stringify(json)));
  }
}
