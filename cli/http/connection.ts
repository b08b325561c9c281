import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { Failure, usage } from '../failure';

/** Where the api is, and the key to it. */
export interface Connection {
  readonly url: URL;
  readonly apiKey: string;
}

/** What the environment says: see `config.ts`. */
interface Variables {
  readonly LOCKSTEP_URL?: string;
  readonly LOCKSTEP_API_KEY?: string;
  readonly LOCKSTEP_API_KEY_FILE?: string;
}

export interface Wanted {
  readonly url?: string;
  readonly keyFile?: string;
}

/** `lockstep up` writes it; looked for from the current folder upwards. */
const LOCAL_FILE = path.join('.lockstep', 'cli.json');
const DEFAULT_URL = 'http://127.0.0.1:8080';

/**
 * Options before the environment before the file of `lockstep up`. The key in that file goes only to the address in that file:
 * anybody else would be given a key that is not theirs.
 */
export function connectionOf(wanted: Wanted, variables: Variables, folder: string): Connection {
  const local = localFile(folder);
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
    `No API key for ${address.origin}. Name a file that holds one with --key-file or LOCKSTEP_API_KEY_FILE. "lockstep up" makes the first one, "lockstep keys create" makes more.`,
  );
}

interface LocalFile {
  readonly url: string;
  readonly keyFile: string;
}

function localFile(folder: string): LocalFile | null {
  for (let dir = path.resolve(folder); ; dir = path.dirname(dir)) {
    const file = path.join(dir, LOCAL_FILE);
    if (existsSync(file)) return parseLocalFile(file);
    if (dir === path.dirname(dir)) return null;
  }
}

function parseLocalFile(file: string): LocalFile {
  // In a folder that everybody may write, somebody else's file would have our passwords sent to them.
  if (![process.getuid?.(), 0].includes(statSync(file).uid))
    throw new Failure(
      `${file} belongs to another user. Use --url and --key-file, or another folder.`,
    );
  try {
    const { url, keyFile } = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof url === 'string' && typeof keyFile === 'string')
      return { url, keyFile: path.resolve(path.dirname(file), '..', keyFile) };
  } catch {
    // Told below, as any other content that is not ours.
  }
  throw new Failure(`${file} does not hold what "lockstep up" writes there. Run that again.`);
}

/** Only letters that fit an HTTP header go on: what does not would be quoted in an error. */
const API_KEY = /^lks_[0-9a-z]+_[\w-]+$/;

function checkedKey(text: string, from: string): string {
  const apiKey = text.trim();
  if (API_KEY.test(apiKey)) return apiKey;
  throw new Failure(`${from} does not hold an API key, which looks like lks_….`);
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Failure(
      `The key file ${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`,
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
      'The address of the api must look like https://lockstep.example.com, without a name or password in it.',
    );
  if (url.protocol === 'http:' && !LOOPBACK.test(url.hostname))
    throw usage(
      `${url.origin} is another machine, and http would carry passwords there for anybody on the way to read. Use https.`,
    );
  return url;
}
