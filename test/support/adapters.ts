import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { createApiKey } from '../../store/api-keys';
import type { Reply, TestApi } from './api';
import { until } from './until';

const examples = path.resolve(__dirname, '../../docs/examples');

/** A sample adapter of the documentation, as a process. */
export interface SampleAdapter {
  readonly pid: number;
  /** What it has printed. */
  printed(): string;
  /** Resolves when it has printed the text. */
  prints(text: string | RegExp): Promise<void>;
  /** Stops it as a service manager does, and returns its exit code. */
  stop(): Promise<number | null>;
  kill(): Promise<void>;
}

/** The API that an adapter calls. */
export type AdapterApi = Pick<TestApi, 'url' | 'database' | 'dir' | 'send'>;

/** The API key of an adapter, bound to its source. */
export const adapterKeyOf = async (api: AdapterApi, source: string): Promise<string> => {
  const wanted = { name: `adapter of ${source}`, scopes: ['adapter' as const], groups: null };
  return (await createApiKey(api.database.db, { ...wanted, expiresAt: null, source }, 'test')).key;
};

interface Sample {
  /** The file below docs/examples. */
  readonly file: string;
  readonly source: string;
  /** The arguments after the source. */
  readonly more?: readonly string[];
  readonly stdin?: string;
  /** The API key; by default a new one. */
  readonly key?: string;
}

/** Starts a sample of the documentation. */
export async function startSample(
  api: AdapterApi,
  { file, source, more = [], stdin, key }: Sample,
): Promise<SampleAdapter> {
  const keyFile = path.join(api.dir, `adapter-key-of-${source}`);
  writeFileSync(keyFile, `${key ?? (await adapterKeyOf(api, source))}\n`, { mode: 0o600 });
  const interpreter = file.endsWith('.py') ? 'python3' : 'bash';
  const child = spawn(interpreter, [path.join(examples, file), api.url, keyFile, source, ...more], {
    detached: true,
  });
  if (stdin !== undefined) child.stdin.end(stdin);
  let printed = '';
  for (const output of [child.stdout, child.stderr])
    output.on('data', (data: Buffer) => {
      printed += data.toString();
    });
  const exited = once(child, 'exit') as Promise<[number | null]>;
  return {
    pid: child.pid ?? 0,
    printed: () => printed,
    prints: (text) =>
      until(() => (typeof text === 'string' ? printed.includes(text) : text.test(printed))),
    async stop() {
      signalGroup(child, 'SIGTERM');
      return (await exited)[0];
    },
    async kill() {
      signalGroup(child, 'SIGKILL');
      await exited;
    },
  };
}

/** Signals the process and its children, which a shell leaves behind. */
function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  try {
    process.kill(-(pid ?? 0), signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** A message as an adapter without a key receives it. */
export interface ReceivedMessage {
  readonly trackingId: string;
  readonly delivery: number;
  readonly acknowledgeBy: string;
  readonly sealed?: string;
  readonly message?: {
    readonly trackingId: string;
    readonly operation: string;
    readonly account: string;
    readonly password: string;
    readonly oldPassword: string | null;
  };
}

/** An adapter that the test plays by its own calls. */
export interface PlayedAdapter {
  readonly key: string;
  call(name: string, body?: object): Promise<Reply>;
  /** Receives messages, of which there must be some. */
  receive(options?: {
    readonly max?: number;
    readonly waitSeconds?: number;
  }): Promise<ReceivedMessage[]>;
  /** Acknowledges a message, and returns the effect. */
  complete(trackingId: string, result: string, more?: object): Promise<unknown>;
}

export async function playAdapter(api: AdapterApi, source: string): Promise<PlayedAdapter> {
  const key = await adapterKeyOf(api, source);
  const call = (name: string, body: object = {}) =>
    api.send('POST', `/v1/adapters/${source}/${name}`, { key, body });
  return {
    key,
    call,
    async receive(options = {}) {
      const { body } = await call('receive', { waitSeconds: 20, ...options });
      return body.messages as ReceivedMessage[];
    },
    async complete(trackingId, result, more = {}) {
      return (await call('complete', { trackingId, result, ...more })).body.effect;
    },
  };
}
