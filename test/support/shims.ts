import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {
  type HandOverListener,
  listenForCaptures,
  type Take,
} from '../../capture/hand-over/listener';

const sources = path.resolve(__dirname, '../../capture/shims');

/** The C compiler of this machine; null where there is none. */
export const compiler: string | null =
  ['cc', 'gcc', 'clang'].find((name) => spawnSync(name, ['--version']).status === 0) ?? null;

/** A folder that everybody may enter and only we may write to. */
export function openFolder(): string {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'lockstep-shim-'));
  chmodSync(dir, 0o755);
  return dir;
}

/** @param file below capture/shims @returns the shared object */
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

export interface HandedIn {
  readonly account: string;
  readonly password: string;
  readonly sequence?: string;
  /** `password` is a hash. */
  readonly hashed?: true;
}

/** Listens as a relay does, and keeps what it is handed. */
export async function listenAsRelay(socket: string, taken: HandedIn[]): Promise<HandOverListener> {
  const take: Take = async ({ account, password, hashed, sequence }) => {
    const text = password.use((bytes) => Buffer.from(bytes).toString('utf8'));
    taken.push({
      ...{ account, password: text },
      ...(sequence === null ? {} : { sequence }),
      ...(hashed ? { hashed } : {}),
    });
    return null;
  };
  return listenForCaptures(socket, 0o666, take);
}
