import type { ConnectorKind } from '../contract';
import { traitsBy } from '../wire/settings';
import type * as Driver from './command';
import { type CommandSettings, commandSettings } from './settings';

/** A program of somebody else, started for each request: the contract in JSON, on stdin and stdout. */
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
  },
  declared: traitsBy,
  needs: [
    'A program that keeps the contract of [your-own-connector.md](your-own-connector.md). `lockstep connector test` tells whether it does.',
    'It is below the folder that `LOCKSTEP_COMMAND_DIR` names for the worker, so that nobody who can only change the configuration can run another one; and only root or the user of the worker may write it.',
    'The password comes on stdin, never as an argument or in the environment. What it writes to stderr is dropped.',
    'It ends within `timeoutMs`, and leaves nothing running.',
  ],
  // Loaded at the first use: the api reads the registry too, and must not be able to start programs.
  open: async (settings, tools) =>
    (require('./command') as typeof Driver).openCommand(settings, tools),
};
