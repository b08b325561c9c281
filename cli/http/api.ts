import { Secret } from '../../model/passwords/secret';
import { withoutControls } from '../controls';
import { Failure } from '../failure';
import type { Connection } from './connection';
import { eventData } from './events';
import { ApiProblem, isProblem, notOurs, transportFailure } from './refusals';

export interface Ask {
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  /** JSON; a `Secret` holds the bytes of one that was built by hand. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** The api answers when there is something to tell, at the latest after so many seconds. */
  readonly waitSeconds?: number;
  readonly signal?: AbortSignal;
  /** What to tell when it is not there. */
  readonly missing?: string;
}

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** Below `/v1`, one segment each. */
type Path = readonly string[];

/** Every call throws a `Failure`: an `ApiProblem` for what the api refuses. */
export interface Api {
  readonly url: URL;
  get<T>(path: Path, ask?: Ask): Promise<T>;
  send<T>(method: Method, path: Path, ask?: Ask): Promise<T>;
  /** Server-sent events, until the api or `signal` ends them. */
  events<T>(path: Path, signal: AbortSignal): AsyncGenerator<T>;
  /** A file, as it comes: it may be larger than what should be held. */
  file(path: Path, signal: AbortSignal, ask?: Ask): AsyncGenerator<Uint8Array>;
}

/** Besides what the api was asked to wait. */
const ANSWER_TIMEOUT_MS = 60_000;
/** Heartbeats come each 15 s: a stream of events without any is dead. So is a file. */
const SILENCE_MS = 45_000;

/** @param forTerminal answers are to be shown to a person */
export function connect({ url, apiKey }: Connection, forTerminal: boolean): Api {
  const request = async (method: Method, path: Path, ask: Ask): Promise<Response> => {
    const headers = { ...headersOf(method, ask), authorization: `Bearer ${apiKey}` };
    // Whoever answers with a redirect is not the api, and gets nothing.
    const init = { method, headers, redirect: 'manual', signal: ask.signal } as const;
    const response = await fetch(addressOf(url, method, path, ask), {
      ...init,
      ...bodyOf(ask.body),
    }).catch((error) => {
      throw transportFailure(error, url);
    });
    if (response.ok) return response;
    const problem = await readJson(response, url, forTerminal);
    throw isProblem(problem) ? new ApiProblem(problem, ask.missing) : notOurs(response.status, url);
  };
  const read = async <T>(method: Method, path: Path, ask: Ask): Promise<T> => {
    const timeout = AbortSignal.timeout(ANSWER_TIMEOUT_MS + (ask.waitSeconds ?? 0) * 1000);
    const signal = ask.signal === undefined ? timeout : AbortSignal.any([ask.signal, timeout]);
    const response = await request(method, path, { ...ask, signal });
    return (await readJson(response, url, forTerminal)) as T;
  };
  async function* listen<T>(
    path: Path,
    signal: AbortSignal,
    ask: Ask,
    parts: (body: ReadableStream<Uint8Array>, heard: () => void) => AsyncIterable<T>,
  ): AsyncGenerator<T> {
    const silence = new AbortController();
    const timer = setTimeout(() => silence.abort(), SILENCE_MS);
    try {
      const both = AbortSignal.any([signal, silence.signal]);
      const { body } = await request('GET', path, { ...ask, signal: both });
      if (body !== null) yield* parts(body, () => timer.refresh());
    } catch (error) {
      throw error instanceof Failure ? error : transportFailure(error, url);
    } finally {
      clearTimeout(timer);
    }
  }
  return {
    url,
    get: (path, ask = {}) => read('GET', path, ask),
    send: (method, path, ask = {}) => read(method, path, ask),
    events: <T>(path: Path, signal: AbortSignal) =>
      listen(path, signal, {}, async function* (body, heard) {
        for await (const data of eventData(body, heard)) yield parseJson(data, forTerminal) as T;
      }),
    file: (path, signal, ask = {}) => listen(path, signal, ask, pieces),
  };
}

async function* pieces(body: ReadableStream<Uint8Array>, heard: () => void) {
  for await (const piece of body) {
    heard();
    yield piece;
  }
}

function addressOf(url: URL, method: Method, path: Path, { query = {}, waitSeconds }: Ask): URL {
  const address = new URL(url);
  address.pathname = `${url.pathname.replace(/\/$/, '')}/v1/${path.map(encodeURIComponent).join('/')}`;
  const wait = method === 'GET' ? { wait: waitSeconds } : {};
  for (const [name, value] of Object.entries({ ...query, ...wait }))
    if (value !== undefined) address.searchParams.set(name, String(value));
  return address;
}

function headersOf(method: Method, { headers = {}, body, waitSeconds = 0 }: Ask) {
  return {
    ...headers,
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(method === 'GET' || waitSeconds === 0 ? {} : { prefer: `wait=${waitSeconds}` }),
  };
}

/** `fetch` copies a body of bytes, and nobody zeroes the copy; a stream it sends as it is. */
function bodyOf(body: unknown): { body?: string | ReadableStream; duplex?: 'half' } {
  if (body === undefined) return {};
  if (!(body instanceof Secret)) return { body: JSON.stringify(body) };
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      body.use((bytes) => controller.enqueue(bytes));
      controller.close();
    },
  });
  return { body: stream, duplex: 'half' };
}

async function readJson(response: Response, url: URL, forTerminal: boolean): Promise<unknown> {
  const text = await response.text().catch((error) => {
    throw transportFailure(error, url);
  });
  if (response.status === 204) return undefined;
  try {
    return parseJson(text, forTerminal);
  } catch {
    throw notOurs(response.status, url);
  }
}

/** @throws SyntaxError */
const parseJson = (text: string, forTerminal: boolean): unknown =>
  JSON.parse(text, (_name, value) =>
    forTerminal && typeof value === 'string' ? withoutControls(value) : value,
  );
