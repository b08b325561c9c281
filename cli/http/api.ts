import { Secret } from '../../model/passwords/secret';
import { timeLimit } from '../../time-limit';
import { withoutControls } from '../controls';
import { Failure } from '../failure';
import type { Connection } from './connection';
import { eventData } from './events';
import { ApiProblem, isProblem, notOurs, transportFailure } from './refusals';

export interface RequestOptions {
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  /** Sent as JSON. A `Secret` contains the bytes of a JSON document and is sent unchanged. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Long poll: the API answers as soon as there is a result, and at the latest after this many seconds. */
  readonly waitSeconds?: number;
  readonly signal?: AbortSignal;
  /** The message to show if the API answers `not_found`; default: its own. */
  readonly missing?: string;
}

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** The path below `/v1`, one string per segment. */
type Path = readonly string[];

/** Requests to the API. Every method throws a `Failure`, and an `ApiProblem` if the API answers with an error. */
export interface Api {
  readonly url: URL;
  get<T>(path: Path, options?: RequestOptions): Promise<T>;
  send<T>(method: Method, path: Path, options?: RequestOptions): Promise<T>;
  /** Server-sent events, until the api or `signal` ends them. */
  events<T>(path: Path, signal: AbortSignal): AsyncGenerator<T>;
  /** The chunks of a file as they arrive, because the file may be larger than memory. */
  file(path: Path, signal: AbortSignal, options?: RequestOptions): AsyncGenerator<Uint8Array>;
}

/** How long to wait for an answer, in addition to `waitSeconds`. */
const ANSWER_TIMEOUT_MS = 60_000;
/** A stream without data for this long is dead. The API sends a heartbeat every 15 s; a file has the same limit. */
const SILENCE_MS = 45_000;

/** @param forTerminal true replaces control characters in every answer, because it is shown to a person */
export function connect({ url, apiKey }: Connection, forTerminal: boolean): Api {
  const request = async (
    method: Method,
    path: Path,
    options: RequestOptions,
  ): Promise<Response> => {
    const headers = { ...headersOf(method, options), authorization: `Bearer ${apiKey}` };
    // The API never redirects: following one could send the key to another server.
    const init = { method, headers, redirect: 'manual', signal: options.signal } as const;
    const response = await fetch(addressOf(url, method, path, options), {
      ...init,
      ...bodyOf(options.body),
    }).catch((error) => {
      throw transportFailure(error, url);
    });
    if (response.ok) return response;
    const problem = await readJson(response, url, forTerminal);
    throw isProblem(problem)
      ? new ApiProblem(problem, options.missing)
      : notOurs(response.status, url);
  };
  const read = async <T>(method: Method, path: Path, options: RequestOptions): Promise<T> => {
    const timeoutMs = ANSWER_TIMEOUT_MS + (options.waitSeconds ?? 0) * 1000;
    const signal = timeLimit(timeoutMs, ...(options.signal === undefined ? [] : [options.signal]));
    const response = await request(method, path, { ...options, signal });
    return (await readJson(response, url, forTerminal)) as T;
  };
  async function* listen<T>(
    path: Path,
    signal: AbortSignal,
    options: RequestOptions,
    parts: (body: ReadableStream<Uint8Array>, onData: () => void) => AsyncIterable<T>,
  ): AsyncGenerator<T> {
    const silence = new AbortController();
    const timer = setTimeout(() => silence.abort(), SILENCE_MS);
    try {
      const both = AbortSignal.any([signal, silence.signal]);
      const { body } = await request('GET', path, { ...options, signal: both });
      if (body !== null) yield* parts(body, () => timer.refresh());
    } catch (error) {
      throw error instanceof Failure ? error : transportFailure(error, url);
    } finally {
      clearTimeout(timer);
    }
  }
  return {
    url,
    get: (path, options = {}) => read('GET', path, options),
    send: (method, path, options = {}) => read(method, path, options),
    events: <T>(path: Path, signal: AbortSignal) =>
      listen(path, signal, {}, async function* (body, onData) {
        for await (const data of eventData(body, onData)) yield parseJson(data, forTerminal) as T;
      }),
    file: (path, signal, options = {}) => listen(path, signal, options, chunks),
  };
}

async function* chunks(body: ReadableStream<Uint8Array>, onData: () => void) {
  for await (const chunk of body) {
    onData();
    yield chunk;
  }
}

function addressOf(
  url: URL,
  method: Method,
  path: Path,
  { query = {}, waitSeconds }: RequestOptions,
): URL {
  const address = new URL(url);
  address.pathname = `${url.pathname.replace(/\/$/, '')}/v1/${path.map(encodeURIComponent).join('/')}`;
  const wait = method === 'GET' ? { wait: waitSeconds } : {};
  for (const [name, value] of Object.entries({ ...query, ...wait }))
    if (value !== undefined) address.searchParams.set(name, String(value));
  return address;
}

function headersOf(method: Method, { headers = {}, body, waitSeconds = 0 }: RequestOptions) {
  return {
    ...headers,
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(method === 'GET' || waitSeconds === 0 ? {} : { prefer: `wait=${waitSeconds}` }),
  };
}

/** A secret is sent as a stream: `fetch` would copy a buffer, and nothing could zero the copy. */
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
