import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';

export interface ProgramSpec {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/** How one run of a program ended. */
export type Ending =
  /** The program was not started. `code` is that of the system, such as `ENOENT`. */
  | { readonly ended: 'not_started'; readonly code: string }
  | {
      readonly ended: 'exit';
      readonly status: number;
      /** Stdout of the program. The caller zeroes it. */
      readonly output: Buffer;
      readonly stderrBytes: number;
    }
  | { readonly ended: 'signal' | 'too_slow' | 'too_much' };

/** Upper limit for stdout, in bytes. A page of accounts is smaller. */
const MOST_OUTPUT = 1 << 20;

/** How long to wait for the end of a killed process. It ends at once unless the system hangs. */
const DYING_MS = 1_000;

/**
 * Runs a program once, with `input` on stdin. Stdout is its answer. Stderr is counted and dropped, because it may repeat
 * the password. A program that runs too long or writes too much is killed with its process group.
 */
export function runProgram(spec: ProgramSpec, input: Buffer): Promise<Ending> {
  let program: ChildProcessWithoutNullStreams;
  try {
    program = start(spec);
  } catch (error) {
    return Promise.resolve(notStarted(error));
  }
  if (program.pid !== undefined) return ending(program, input, spec.timeoutMs);
  return new Promise((resolve) => program.once('error', (error) => resolve(notStarted(error))));
}

function start({ command, args, cwd, env, timeoutMs }: ProgramSpec) {
  const options = { cwd, env, detached: true };
  if (LEASH === undefined) return spawn(command, args, options);
  const seconds = String(Math.ceil(timeoutMs / 1000) + 1);
  return spawn(LEASH, ['-s', 'KILL', seconds, command, ...args], options);
}

/** timeout(1) ends the program even if the worker itself is killed. Undefined on a system without it. */
const LEASH = ['/usr/bin/timeout', '/bin/timeout'].find((file) => existsSync(file));

const notStarted = (error: unknown): Ending => ({
  ended: 'not_started',
  code: (error as NodeJS.ErrnoException).code ?? 'unknown',
});

function ending(
  program: ChildProcessWithoutNullStreams,
  input: Buffer,
  timeoutMs: number,
): Promise<Ending> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let [size, stderrBytes] = [0, 0];
    let cut: 'too_slow' | 'too_much' | null = null;
    let timer = setTimeout(() => cutShort('too_slow'), timeoutMs);

    const end = (how: Ending) => {
      clearTimeout(timer);
      for (const chunk of chunks.splice(0)) chunk.fill(0);
      resolve(how);
    };
    const cutShort = (why: 'too_slow' | 'too_much') => {
      cut ??= why;
      clearTimeout(timer);
      timer = setTimeout(() => end({ ended: why }), DYING_MS);
      killGroup(program);
      // A process that has left the group may keep the streams open.
      for (const stream of [program.stdin, program.stdout, program.stderr]) stream.destroy();
    };
    program.stdout.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size > MOST_OUTPUT) cutShort('too_much');
    });
    program.stderr.on('data', (chunk: Buffer) => {
      stderrBytes += chunk.length;
      chunk.fill(0);
    });
    // The program may answer without reading all of its input.
    program.stdin.on('error', () => {});
    program.stdin.write(input);
    // The line end is for programs that read a line.
    program.stdin.end('\n');
    program.on('error', () => {});
    program.once('close', (status) => {
      if (cut !== null) end({ ended: cut });
      else if (status === null) end({ ended: 'signal' });
      else end({ ended: 'exit', status, output: Buffer.concat(chunks), stderrBytes });
    });
  });
}

function killGroup({ pid }: ChildProcessWithoutNullStreams): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // The process has just ended.
  }
}
