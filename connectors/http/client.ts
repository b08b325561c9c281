import type { Client, Dispatcher } from 'undici';
import { timeLimit } from '../../time-limit';
import { connectionsTo } from './connections';
import { NoReply, NotSent } from './failures';
import type { HttpSettings } from './settings';

export interface HttpRequest {
  readonly method: 'GET' | 'PATCH' | 'POST' | 'PUT';
  /** Path below the address of the client, with the query, percent-encoded. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The caller keeps it unchanged until the reply has arrived, and then zeroes it. */
  readonly body?: Buffer;
}

export interface HttpReply {
  readonly status: number;
  /** Returns the value of a header. Several headers with one name are joined to a list (RFC 9110 §5.3). */
  readonly header: (name: string) => string | null;
  readonly isEmpty: boolean;
  /** The body; null if it is not JSON. Only for the tables that classify replies, because it may repeat a password. */
  readonly json: unknown;
}

export interface HttpClient {
  /**
   * Sends exactly one request. Redirects are returned and not followed, and nothing is retried.
   * @throws NotSent | NoReply
   */
  send(request: HttpRequest, signal: AbortSignal): Promise<HttpReply>;
  close(): void;
}

/** The version in package.json. */
const VERSION = '0.1.0';

/** Creates a client. It does no I/O before the first request. @param address https://host[:port][/path] */
export function openHttp(address: string, settings: HttpSettings): HttpClient {
  const { origin, pathname } = new URL(address);
  const below = pathname.replace(/\/$/, '');
  const connections = connectionsTo(origin, settings);
  return {
    async send(request, signal) {
      const inTime = timeLimit(settings.timeoutMs, signal);
      const whole = {
        ...request,
        path: `${below}${request.path}`,
        headers: { ...request.headers, 'user-agent': `Lockstep/${VERSION}` },
      };
      const { reply } = await connections.use(inTime, async (client) => {
        const reply = await exchange(client, whole, inTime);
        // A server that answers with 5xx may be shutting down.
        return { reply, good: reply.status < 500 };
      });
      return reply;
    },
    close: () => connections.close(),
  };
}

function exchange(client: Client, request: HttpRequest, signal: AbortSignal): Promise<HttpReply> {
  return new Promise((resolve, reject) => {
    let sending: Dispatcher.DispatchController | null = null;
    let status = 0;
    let headers: Readonly<Record<string, string | string[] | undefined>> = {};
    const chunks: Buffer[] = [];
    const fail = (error: Error) => {
      signal.removeEventListener('abort', stop);
      reject(sending === null ? unsent(error) : new NoReply(codeOf(error)));
    };
    const stop = () => fail(tooLate());
    if (signal.aborted) return fail(tooLate());
    // The pool then drops the connection and the request on it.
    signal.addEventListener('abort', stop, { once: true });
    client.dispatch(
      { ...request, body: request.body ?? null },
      {
        onRequestStart(controller) {
          // The caller has stopped waiting, or undici is about to send the request a second time.
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
          const header = (name: string) => [headers[name] ?? []].flat().join(', ') || null;
          const body = Buffer.concat(chunks);
          resolve({ status, header, isEmpty: body.length === 0, json: parsed(body) });
        },
        onResponseError: (_controller, error) => fail(error),
      },
    );
  });
}

const tooLate = () => Object.assign(new Error('too late'), { code: 'timeout' });

const unsent = (error: Error) =>
  error instanceof NotSent ? error : new NotSent('unreachable', codeOf(error));

/** Returns the code of an error of Node, undici or ours. Its message is dropped, because it may quote a reply. */
const codeOf = (error: Error & { code?: unknown }): string | null =>
  typeof error.code === 'string' ? error.code : null;

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return null;
  }
}
