import type { ConnectorKind } from '../contract';
import { namingBy, traitsBy } from '../wire/settings';
import type * as Driver from './command';
import { type CommandSettings, commandSettings } from './settings';

/** A program of the customer, started for each request. It reads a request and writes an answer in JSON. */
export const command: ConnectorKind<CommandSettings> = {
  kind: 'command',
  title: 'Any target, by a program of yours',
  settings: commandSettings,
  secretSettings: [],
  traits: {
    proof: 'none',
    repeatable: false,
    accepts: ['plaintext'],
    yields: ['plaintext', 'hash'],
    reportsCurrent: true,
    actions: [],
  },
  declared: traitsBy,
  naming: namingBy,
  needs: [
    'A program that keeps the contract of [your-own-connector.md](your-own-connector.md). `lockstep connector test` checks that it does.',
    'The program is below the folder that `LOCKSTEP_COMMAND_DIR` names for the worker, so an API key that can change the configuration cannot run any other program. Only root or the user of the worker may write the program.',
    'The program gets the password on stdin, never as an argument or in the environment. Its output to stderr is dropped.',
    'The program ends within `timeoutMs` and leaves no process running.',
  ],
  // The driver is loaded at the first use, because the api reads the registry too and must not be able to run programs.
  open: async (settings, tools) =>
    (require('./command') as typeof Driver).openCommand(settings, tools),
};
