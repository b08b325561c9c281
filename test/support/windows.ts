import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { librariesIn } from '../../local/server-setup';
import { server } from './servers';

/** A separate Windows in a folder (wine). */
export interface Windows {
  readonly dir: string;
  /** The command that runs Windows programs; the program and its arguments follow. */
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
  /** Path of Node for Windows. */
  readonly node: string;
  /** Runs a program. @returns its output @throws Error if it fails */
  run(program: string, ...args: string[]): Promise<string>;
  start(program: string, ...args: string[]): WindowsProcess;
  /** Ends this Windows and every process in it. */
  stop(): Promise<void>;
}

export interface WindowsProcess {
  readonly child: ChildProcess;
  printed(): string;
}

/** The Windows path of a file of this machine. */
export const windowsPath = (file: string): string => `Z:${file.replaceAll('/', '\\')}`;

/** Creates a new Windows, which takes about five seconds. */
export async function openWindows(): Promise<Windows> {
  const root = server('windows').wine ?? '';
  const dir = mkdtempSync(path.join(os.tmpdir(), 'lockstep-windows-'));
  const [programs, prefix] = [path.join(root, 'usr', 'lib', 'wine'), path.join(dir, 'prefix')];
  const command = path.join(programs, 'wine64');
  const env = {
    ...{ HOME: dir, PATH: '/usr/bin:/bin', LD_LIBRARY_PATH: librariesIn(root) },
    ...{ WINEPREFIX: prefix, WINEDEBUG: '-all' },
    WINEDLLOVERRIDES: 'mscoree,mshtml,winemenubuilder.exe=',
    // wine 8 reports that it is Windows 7, which Node does not support.
    NODE_SKIP_PLATFORM_CHECK: '1',
  };
  let outputs = 0;
  const start = (program: string, ...args: string[]): WindowsProcess => {
    const output = path.join(dir, `output-${outputs++}`);
    // A file instead of a pipe, because Node in wine does not recognize a pipe.
    const file = openSync(output, 'a');
    const child = spawn(command, [program, ...args], { env, stdio: ['ignore', file, file] });
    closeSync(file);
    return { child, printed: () => readFileSync(output, 'utf8') };
  };
  const run = async (program: string, ...args: string[]) => {
    const { child, printed } = start(program, ...args);
    const [code] = await once(child, 'exit');
    if (code !== 0) throw new Error(`${program} ended with ${code}: ${printed()}`);
    return printed();
  };
  // Debian installs it outside of wine, which looks only in /usr.
  const system = path.join(prefix, 'drive_c', 'windows', 'system32');
  mkdirSync(system, { recursive: true });
  copyFileSync(
    path.join(root, 'usr/x86_64-w64-mingw32/lib/zlib1.dll'),
    path.join(system, 'zlib1.dll'),
  );
  await run('wineboot', '--init');
  return {
    ...{ dir, command, env, run, start, node: server('windows').node ?? '' },
    async stop() {
      // Ends only the wine processes of this folder.
      spawnSync(path.join(programs, 'wineserver'), ['--kill'], { env });
      rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

const compilerOf = (root: string, tool: string) =>
  path.join(root, 'usr', 'bin', `x86_64-w64-mingw32-${tool}`);

/** Compiles a Windows program. @param flags compiler flags and source files @returns `made` */
export function compileForWindows(made: string, ...flags: string[]): string {
  const warnings = ['-std=gnu11', '-Wall', '-Wextra', '-Werror', '-O2', '-s'];
  withTools('gcc-win32', ...warnings, '-o', made, ...flags);
  return made;
}

/** The import and export tables of a program. */
export const tablesOf = (made: string): string => withTools('objdump', '-p', made);

function withTools(tool: string, ...args: string[]): string {
  const root = server('windows').compiler ?? '';
  const env = { PATH: '/usr/bin:/bin', LD_LIBRARY_PATH: librariesIn(root) };
  return execFileSync(compilerOf(root, tool), args, { env, encoding: 'utf8' });
}
