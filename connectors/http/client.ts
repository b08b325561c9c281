import { type Dispatcher, Pool } from 'undici';
import { connectorOf } from './connect';
import { NoReply, NotSent } from './failures';
import type { HttpSettings } from './settings';

export interface HttpRequest {
  readonly method: 'GET' | 'PATCH' | 'POST' | 'PUT';
  /** Below the address of the client, with its query; encoded. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Lent until the answer is there: whoever made it zeroes it then. */
  readonly body?: Buffer;
}

export interface HttpReply {
  readonly status: number;
  /** Of several headers of one name, the first. */
  readonly header: (name: string) => string | null;
  /** Null where it is not JSON. For tables that judge it: it may echo a password. */
  readonly json: unknown;
}

export interface HttpClient {
  /**
   * One request, and nothing else: a redirect is an answer, nothing is tried again.
   * @throws NotSent | NoReply
   */
  send(request: HttpRequest, signal: AbortSignal): Promise<HttpReply>;
  close(): Promise<void>;
}

/** A page of a hundred users with their attributes is far below that. */
const MOST_REPLY_BYTES = 4 * 1024 * 1024;

/** Shorter than servers keep a connection that is silent: one that ends just as it is used puts a write in doubt. */
const IDLE_MS = 4_000;

/** @param address https://host[:port][/path], without a slash at its end */
export function openHttp(address: string, settings: HttpSettings): HttpClient {
  const { origin, pathname } = new URL(address);
  const below = pathname.replace(/\/$/, '');
  const pool = new Pool(origin, {
    connections: settings.poolSize,
    pipelining: 1,
    allowH2: false,
    connect: connectorOf(settings),
    keepAliveTimeout: IDLE_MS,
    keepAliveMaxTimeout: IDLE_MS,
    maxResponseSize: MOST_REPLY_BYTES,
    // The signal ends every part of an exchange, so that bytes that come one by one win no time.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  return {
    send(request, signal) {
      const inTime = AbortSignal.any([signal, AbortSignal.timeout(settings.timeoutMs)]);
      return exchange(pool, { ...request, path: `${below}${request.path}` }, inTime);
    },
    close: () => pool.destroy(),
  };
}

function exchange(pool: Pool, request: HttpRequest, signal: AbortSignal): Promise<HttpReply> {
  return new Promise((resolve, reject) => {
    let sending: Dispatcher.DispatchController | null = null;
    let status = 0;
    let headers: Readonly<Record<string, string | string[] | undefined>> = {};
    const chunks: Buffer[] = [];
    const fail = (error: Error) => {
      signal.removeEventListener('abort', stop);
      reject(sending === null ? unsent(error) : new NoReply(codeOf(error)));
    };
    const stop = () => {
      fail(tooLate());
      // Which ends the connection too.
      sending?.abort(tooLate());
    };
    if (signal.aborted) return fail(tooLate());
    signal.addEventListener('abort', stop, { once: true });
    pool.dispatch(
      { ...request, body: request.body ?? null },
      {
        onRequestStart(controller) {
          // Nobody waits for it any more, or it would go out a second time.
          if (signal.aborted || sending !== null) controller.abort(tooLate());
          else sending = controller;
        },
        onResponseStart(_controller, code, received) {
          status = code;
          headers = received;
        },
        onResponseData(_controller, chunk) {
          chunks.push(chunk);
        },
        onResponseEnd() {
          signal.removeEventListener('abort', stop);
          const header = (name: string) => [headers[name] ?? null].flat()[0] ?? null;
          resolve({ status, header, json: parsed(Buffer.concat(chunks)) });
        },
        onResponseError: (_controller, error) => fail(error),
      },
    );
  });
}

const tooLate = () => Object.assign(new Error('too late'), { code: 'timeout' });

const unsent = (error: Error) =>
  error instanceof NotSent ? error : new NotSent('unreachable', codeOf(error));

/** Of Node, undici or ours. Their texts may quote what a server said. */
const codeOf = (error: Error & { code?: unknown }): string | null =>
  typeof error.code === 'string' ? error.code : null;

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return null;
  }
}
