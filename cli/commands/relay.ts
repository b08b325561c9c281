import { Command } from 'commander';
import { handOverCommand } from './relay-hand-over';
import { runRelayCommand } from './relay-run';
import { captureSetupCommand } from './relay-setup';

export const captureCommand = (): Command =>
  new Command('capture')
    .summary('run a relay beside a source')
    .description(
      'A relay takes in passwords that are changed in a source, seals them so that only a worker can open them, keeps ' +
        'them until Lockstep has them, and brings them in their order. "lockstep captures" shows how all relays are.',
    )
    .addCommand(captureSetupCommand())
    .addCommand(runRelayCommand())
    .addCommand(handOverCommand());
