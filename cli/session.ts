import type { Command } from 'commander';
import { type Exit, exitCodes } from './exit-codes';
import { Failure } from './failure';
import { type Api, connect } from './http/api';
import { connectionOf, type Wanted } from './http/connection';
import { type Output, outputOf } from './output';

/** What a command works with. */
export interface Session {
  readonly output: Output;
  api(): Promise<Api>;
  /** Ctrl-C: whoever asks for it ends in order; a second one ends at once. */
  interrupted(): AbortSignal;
}

export interface GlobalOptions extends Wanted {
  readonly output: 'text' | 'json';
}

/**
 * The action of a command. It gets the arguments of commander, its options last, and tells how it ends.
 */
export function action<Args extends unknown[]>(
  body: (session: Session, ...args: Args) => Promise<Exit>,
): (...args: [...Args, Command]) => Promise<void> {
  return async (...all) => {
    const command = all.at(-1) as Command;
    const session = openSession(command.optsWithGlobals<GlobalOptions>());
    const exit = await body(session, ...(all.slice(0, -1) as Args));
    process.exitCode = exitCodes[exit].code;
  };
}

/** As shells tell of a process that SIGINT ended. */
const INTERRUPTED = 130;

function openSession(options: GlobalOptions): Session {
  const output = outputOf(options.output === 'json');
  let interruption: AbortSignal | undefined;
  return {
    output,
    async api() {
      const connection = connectionOf(options, readEnvironment(), process.cwd());
      return connect(connection, !output.json);
    },
    interrupted: () => {
      interruption ??= listenForInterruption();
      return interruption;
    },
  };
}

function listenForInterruption(): AbortSignal {
  const controller = new AbortController();
  process.on('SIGINT', () => {
    if (controller.signal.aborted) process.exit(INTERRUPTED);
    controller.abort();
  });
  return controller.signal;
}

/** Loaded only here: a command that asks for --help needs none of it. Reading the environment is what refuses it. */
function readEnvironment() {
  try {
    const { environment, refuseDebugOutput } = require('../config') as typeof import('../config');
    refuseDebugOutput();
    return environment;
  } catch (error) {
    throw new Failure((error as Error).message, { exit: 'usage' });
  }
}
