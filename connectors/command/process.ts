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
  /** It read nothing; `code` is that of the system, such as `ENOENT`. */
  | { readonly ended: 'not_started'; readonly code: string }
  | {
      readonly ended: 'exit';
      readonly status: number;
      /** To be zeroed by who reads it. */
      readonly output: Buffer;
      readonly stderrBytes: number;
    }
  | { readonly ended: 'signal' | 'too_slow' | 'too_much' };

/** More than a page of accounts, less than what would hurt. */
const MOST_OUTPUT = 1 << 20;

/** A killed process is gone at once, unless the system itself hangs. */
const DYING_MS = 1_000;

/**
 * Runs a program once, with `input` on stdin. Stdout is its answer. Stderr is counted and dropped: it may repeat what was
 * given to it. What takes too long or says too much is killed, with its whole process group.
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

/** When this process is killed, timeout(1) still ends what it started. */
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
      // Somebody who left the group may hold them open.
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
    // It may have answered without reading everything.
    program.stdin.on('error', () => {});
    program.stdin.write(input);
    // A whole line, for those who read one.
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
    // It has just ended.
  }
}
