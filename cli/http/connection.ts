import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { Failure, usage } from '../failure';

/** The address of the API, and the key to use. */
export interface Connection {
  readonly url: URL;
  readonly apiKey: string;
}

/** The environment variables that `config.ts` describes. */
interface Variables {
  readonly LOCKSTEP_URL?: string;
  readonly LOCKSTEP_API_KEY?: string;
  readonly LOCKSTEP_API_KEY_FILE?: string;
}

export interface Wanted {
  readonly url?: string;
  readonly keyFile?: string;
}

/** Written by `lockstep up`. It is searched for from each of the given folders upwards. */
const LOCAL_FILE = path.join('.lockstep', 'cli.json');
const DEFAULT_URL = 'http://127.0.0.1:8080';

/**
 * Options take precedence over the environment, and the environment over the file of `lockstep up`. The key in that file is
 * sent only to the address in that file, so that no other server receives it.
 */
export function connectionOf(
  wanted: Wanted,
  variables: Variables,
  folders: readonly string[],
): Connection {
  const local = localFile(folders);
  const url = wanted.url ?? variables.LOCKSTEP_URL ?? local?.url ?? DEFAULT_URL;
  const address = checkedUrl(url);
  if (wanted.keyFile === undefined && variables.LOCKSTEP_API_KEY !== undefined)
    return { url: address, apiKey: checkedKey(variables.LOCKSTEP_API_KEY, 'LOCKSTEP_API_KEY') };
  const keyFile =
    wanted.keyFile ??
    variables.LOCKSTEP_API_KEY_FILE ??
    (url === local?.url ? local.keyFile : undefined);
  if (keyFile !== undefined)
    return { url: address, apiKey: checkedKey(readText(keyFile), keyFile) };
  throw new Failure(
    `No API key for ${address.origin}. Name a file that holds one with --key-file or LOCKSTEP_API_KEY_FILE. "lockstep up" creates the first key, "lockstep keys create" creates others.`,
  );
}

/** What a support bundle reads besides the API. */
export interface SupportPlaces {
  /** URLs of api and worker below which `/readyz` and `/metrics` answer. */
  readonly ops: readonly string[];
  readonly logs: readonly string[];
}

/** The places of the server that `lockstep up` started; otherwise the default ports, and no logs. */
export const supportPlacesIn = (folders: readonly string[]): SupportPlaces =>
  localFile(folders)?.support ?? {
    ops: ['http://127.0.0.1:9080', 'http://127.0.0.1:9081'],
    logs: [],
  };

/** What `lockstep sso secret` needs of the worker. */
export interface LocalWorker {
  readonly databaseUrl: string;
  readonly keyDir: string;
}

/** The worker that `lockstep up` started; null without one, or if its database is one of the operator. */
export function localWorkerIn(folders: readonly string[]): LocalWorker | null {
  const file = localFile(folders)?.workerFile;
  if (file === undefined || !existsSync(file)) return null;
  const { databaseUrl, keyDir } = JSON.parse(readText(file));
  return typeof databaseUrl === 'string' && typeof keyDir === 'string'
    ? { databaseUrl, keyDir }
    : null;
}

interface LocalFile {
  readonly url: string;
  readonly keyFile: string;
  readonly support: SupportPlaces;
  readonly workerFile: string;
}

function localFile(folders: readonly string[]): LocalFile | null {
  for (const folder of folders) {
    const found = localFileAbove(folder);
    if (found !== null) return found;
  }
  return null;
}

function localFileAbove(folder: string): LocalFile | null {
  for (let dir = path.resolve(folder); ; dir = path.dirname(dir)) {
    const file = path.join(dir, LOCAL_FILE);
    if (existsSync(file)) return parseLocalFile(file);
    if (dir === path.dirname(dir)) return null;
  }
}

function parseLocalFile(file: string): LocalFile {
  // In a folder that others can write to, another user's file could send our passwords to them.
  if (![process.getuid?.(), 0].includes(statSync(file).uid))
    throw new Failure(
      `${file} belongs to another user and is not used. Give --url and --key-file, or work in another folder.`,
    );
  try {
    const { url, keyFile, ops = [], logs = [] } = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof url === 'string' && typeof keyFile === 'string')
      return {
        url,
        keyFile: path.resolve(path.dirname(file), '..', keyFile),
        support: { ops: textsIn(ops), logs: textsIn(logs) },
        workerFile: path.join(path.dirname(file), 'worker.json'),
      };
  } catch {
    // Reported below, like any other unexpected content.
  }
  throw new Failure(
    `${file} is damaged: it does not hold what "lockstep up" writes there. Run "lockstep up" again.`,
  );
}

const textsIn = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];

/** A key with other characters than these is refused here: `fetch` would quote it in its error. */
const API_KEY = /^lks_[0-9a-z]+_[\w-]+$/;

function checkedKey(text: string, from: string): string {
  const apiKey = text.trim();
  if (API_KEY.test(apiKey)) return apiKey;
  throw new Failure(
    `${from} does not hold an API key, which begins with lks_. "lockstep keys create" creates one.`,
  );
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Failure(
      `The key file ${file} cannot be read (${(error as NodeJS.ErrnoException).code}). Name another file with --key-file.`,
    );
  }
}

const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;

function checkedUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (
    url === null ||
    !['http:', 'https:'].includes(url.protocol) ||
    url.username + url.password !== ''
  )
    throw usage(
      'The address of the API must look like https://lockstep.example.com, without a user name or password. Check LOCKSTEP_URL or --url.',
    );
  if (url.protocol === 'http:' && !LOOPBACK.test(url.hostname))
    throw usage(
      `${url.origin} is another machine, and http would send passwords there unencrypted. Use https.`,
    );
  return url;
}
