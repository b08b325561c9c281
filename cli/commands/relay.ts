import { Command } from 'commander';
import { handOverCommand } from './relay-hand-over';
import { registerCommand } from './relay-register';
import { runRelayCommand } from './relay-run';
import { relaySetupCommand } from './relay-setup';

export const relayCommand = (): Command =>
  new Command('relay')
    .summary('install and run a relay on the machine of a source')
    .description(
      'Commands for the machine of a source. A relay is a process that runs there: it receives the passwords that are changed ' +
        'in the source, seals them so that only a worker can open them, and delivers them in order, keeping each until ' +
        'Lockstep has accepted it. To see the state of all relays, or to stop and start captures, use ' +
        '"lockstep captures", which works from anywhere through the API.',
    )
    .addCommand(registerCommand())
    .addCommand(relaySetupCommand())
    .addCommand(runRelayCommand())
    .addCommand(handOverCommand());
