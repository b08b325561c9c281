import type { Client, Dispatcher } from 'undici';
import { connectionsTo } from './connections';
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
  /** Several headers of one name are one list (RFC 9110 §5.3). */
  readonly header: (name: string) => string | null;
  /** Null where it is not JSON. For tables that classify it: it may echo a password. */
  readonly json: unknown;
}

export interface HttpClient {
  /**
   * One request, and nothing else: a redirect is an answer, nothing is tried again.
   * @throws NotSent | NoReply
   */
  send(request: HttpRequest, signal: AbortSignal): Promise<HttpReply>;
  close(): void;
}

/** @param address https://host[:port][/path] */
export function openHttp(address: string, settings: HttpSettings): HttpClient {
  const { origin, pathname } = new URL(address);
  const below = pathname.replace(/\/$/, '');
  const connections = connectionsTo(origin, settings);
  return {
    async send(request, signal) {
      const inTime = AbortSignal.any([signal, AbortSignal.timeout(settings.timeoutMs)]);
      const whole = { ...request, path: `${below}${request.path}` };
      const { reply } = await connections.use(inTime, async (client) => {
        const reply = await exchange(client, whole, inTime);
        // What answers with 5xx may be about to end.
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
    // The connection is dropped then, and whatever is under way on it.
    signal.addEventListener('abort', stop, { once: true });
    client.dispatch(
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
          const header = (name: string) => [headers[name] ?? []].flat().join(', ') || null;
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
