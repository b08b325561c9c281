import { spawn } from 'node:child_process';
import { constants } from 'node:os';

const ENDING_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** An error that ends the command with its message and exit code, without a stack trace. */
export class Failed extends Error {
  constructor(message, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/**
 * Runs Node with these arguments and waits until it ends. The child gets its own process group: Ctrl-C reaches it only through
 * this process, and one signal to the group also ends its children, such as the workers of jest.
 * @param {string[]} args
 * @param {object} [options] options of `spawn`, and:
 * @param {string} [options.command] program to run instead of Node
 * @param {(pid: number) => void} [options.onStart]
 * @param {(message: unknown) => void} [options.onMessage] needs 'ipc' in `stdio`
 * @returns {Promise<number>} the exit code; 128 plus the number of the signal if a signal ended it
 */
export function run(args, { command = process.execPath, onStart, onMessage, ...options } = {}) {
  const child = spawn(command, args, { stdio: 'inherit', ...options, detached: true });
  if (onStart && child.pid !== undefined) onStart(child.pid);
  if (onMessage) child.on('message', onMessage);
  const passOn = (signal) => {
    // The child may have ended before its event arrives: then there is no process to signal.
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid, signal);
  };
  for (const signal of ENDING_SIGNALS) process.on(signal, passOn);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
  }).finally(() => {
    for (const signal of ENDING_SIGNALS) process.off(signal, passOn);
  });
}
