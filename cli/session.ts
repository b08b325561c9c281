import type { Command } from 'commander';
import { type Exit, exitCodes } from './exit-codes';
import { Failure } from './failure';
import { type Api, connect } from './http/api';
import {
  connectionOf,
  type LocalWorker,
  localWorkerIn,
  type SupportPlaces,
  supportPlacesIn,
  type Wanted,
} from './http/connection';
import { type Output, outputOf } from './output';

/** What the action of every command receives: its output, the API and Ctrl-C. */
export interface Session {
  readonly output: Output;
  /** Connects with the address and the key of the options, the environment or `lockstep up`. @throws Failure without a key */
  api(): Promise<Api>;
  /** Where the processes of "lockstep up" show their metrics and keep their logs. */
  supportPlaces(): SupportPlaces;
  /** The worker of "lockstep up"; null without one. */
  localWorker(): LocalWorker | null;
  /**
   * Aborted by the first Ctrl-C, so that the command can end in order; a second Ctrl-C ends the process at once. A command
   * that never calls this ends at the first.
   */
  interrupted(): AbortSignal;
}

export interface GlobalOptions extends Wanted {
  readonly output: 'text' | 'json';
}

/**
 * Makes the action of a commander command from `body`, which receives the session, then the arguments and last the
 * options, and returns the exit of the command.
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

/** The exit code that shells use for a process ended by SIGINT. */
const INTERRUPTED = 130;

function openSession(options: GlobalOptions): Session {
  const output = outputOf(options.output === 'json');
  let interruption: AbortSignal | undefined;
  return {
    output,
    async api() {
      const environment = readEnvironment(output);
      const connection = connectionOf(options, environment, searchedFolders());
      return connect(connection, !output.json);
    },
    supportPlaces: () => supportPlacesIn(searchedFolders()),
    localWorker: () => localWorkerIn(searchedFolders()),
    interrupted: () => {
      interruption ??= listenForInterruption();
      return interruption;
    },
  };
}

/** The clone of this program is the second place, so that its server is found from every folder. */
const searchedFolders = (): string[] => [process.cwd(), __dirname];

function listenForInterruption(): AbortSignal {
  const controller = new AbortController();
  process.on('SIGINT', () => {
    if (controller.signal.aborted) process.exit(INTERRUPTED);
    controller.abort();
  });
  return controller.signal;
}

/**
 * Reads and checks the environment. `config` is loaded only here, because `--help` does not need it and loading it throws
 * when a variable is not valid.
 */
export function readEnvironment(output: Pick<Output, 'note'>) {
  try {
    const config = require('../config') as typeof import('../config');
    config.refuseDebugOutput();
    for (const says of config.unknownVariables(['LOCKSTEP_'])) output.note(says);
    return config.environment;
  } catch (error) {
    throw new Failure((error as Error).message, { exit: 'usage' });
  }
}
