import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { inheritedEnvironment } from '../../config';

const execute = promisify(execFile);
const OUTPUT_BYTES = 64 * 1024 * 1024;

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs a program and waits for its end.
 * @returns its stdout
 * @throws Error with the command and the end of its output
 */
export async function run(
  command: string,
  args: readonly string[],
  { cwd, env }: RunOptions = {},
): Promise<string> {
  try {
    const { stdout } = await execute(command, [...args], {
      cwd,
      env: { ...inheritedEnvironment(), ...env },
      maxBuffer: OUTPUT_BYTES,
    });
    return stdout;
  } catch (error) {
    const {
      stdout = '',
      stderr = '',
      message,
    } = error as { stdout?: string; stderr?: string } & Error;
    const end = `${stdout}\n${stderr}`.trim().slice(-2_000);
    throw new Error(`${command} ${args.join(' ')} failed: ${end === '' ? message : end}`);
  }
}

/** Whether the program is on the PATH. */
export const isInstalled = (program: string): Promise<boolean> =>
  run('which', [program]).then(
    () => true,
    () => false,
  );
