import { spawn } from 'node:child_process';
import { constants } from 'node:os';

const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Ends the command with a sentence instead of a stack. */
export class Failed extends Error {
  constructor(message, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/**
 * Runs Node with these arguments and waits for its end. It gets a process group of its own: Ctrl-C reaches it through us
 * alone, and one signal to the group ends its children too, such as the workers of jest.
 * @param {string[]} args
 * @param {object} [options] those of `spawn`, and:
 * @param {string} [options.command] instead of Node
 * @param {(pid: number) => void} [options.onStart]
 * @param {(message: unknown) => void} [options.onMessage] needs 'ipc' in `stdio`
 * @returns {Promise<number>} the exit code; 128 and the number of the signal where one ended it
 */
export function run(args, { command = process.execPath, onStart, onMessage, ...options } = {}) {
  const child = spawn(command, args, { stdio: 'inherit', ...options, detached: true });
  if (onStart && child.pid !== undefined) onStart(child.pid);
  if (onMessage) child.on('message', onMessage);
  const passOn = (signal) => {
    // Between its end and our learning of it there is nobody to signal.
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid, signal);
  };
  for (const signal of ENDING) process.on(signal, passOn);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
  }).finally(() => {
    for (const signal of ENDING) process.off(signal, passOn);
  });
}
