import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {
  type HandOverListener,
  type IngestCapture,
  listenForCaptures,
} from '../../capture/hand-over/listener';

const sources = path.resolve(__dirname, '../../capture/shims');

/** Name of the C compiler of this machine; null if there is none. */
export const compiler: string | null =
  ['cc', 'gcc', 'clang'].find((name) => spawnSync(name, ['--version']).status === 0) ?? null;

/** Creates a folder that every user may enter and only the user of this process may write to. */
export function openFolder(): string {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'lockstep-shim-'));
  chmodSync(dir, 0o755);
  return dir;
}

/** Compiles a shim with all warnings as errors. @param file path below capture/shims @returns path of the shared object */
export function compileShim(file: string, ...flags: string[]): string {
  const made = path.join(openFolder(), `${path.basename(file, '.c')}.so`);
  const warnings = ['-std=gnu11', '-Wall', '-Wextra', '-Werror'];
  const source = path.resolve(sources, file);
  execFileSync(compiler ?? '', [
    ...[...warnings, '-O2', '-fPIC', '-shared', ...flags],
    ...['-o', made, source],
  ]);
  return made;
}

/** A capture as the test relay received it. */
export interface ReceivedCapture {
  readonly account: string;
  readonly password: string;
  readonly sequence?: string;
  /** Set if `password` is a hash. */
  readonly hashed?: true;
}

/** Listens as a relay does, and appends every capture to `received`. */
export async function listenAsRelay(
  socket: string,
  received: ReceivedCapture[],
): Promise<HandOverListener> {
  const ingest: IngestCapture = async ({ account, password, hashed, sequence }) => {
    const text = password.use((bytes) => Buffer.from(bytes).toString('utf8'));
    received.push({
      ...{ account, password: text },
      ...(sequence === null ? {} : { sequence }),
      ...(hashed ? { hashed } : {}),
    });
    return null;
  };
  return listenForCaptures(socket, 0o666, ingest);
}
