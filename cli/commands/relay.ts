import { Command } from 'commander';
import { handOverCommand } from './relay-hand-over';
import { registerCommand } from './relay-register';
import { runRelayCommand } from './relay-run';
import { relaySetupCommand } from './relay-setup';

export const relayCommand = (): Command =>
  new Command('relay')
    .summary('run a relay next to a source')
    .description(
      'A relay receives passwords that are changed in a source and seals them so that only a worker can open them. It ' +
        'keeps them until Lockstep has accepted them, and delivers them in order. "lockstep captures" shows the state of ' +
        'all relays.',
    )
    .addCommand(registerCommand())
    .addCommand(relaySetupCommand())
    .addCommand(runRelayCommand())
    .addCommand(handOverCommand());
