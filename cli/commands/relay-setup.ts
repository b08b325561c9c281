import { Command } from 'commander';
import { outboxCommand } from './relay-setup-outbox';
import { setupSambaCommand } from './relay-setup-samba';

export const relaySetupCommand = (): Command =>
  new Command('setup')
    .summary('make a source submit its passwords to a relay')
    .description(
      'Prepares a source to submit changed passwords to its relay. Run this once per source, after "lockstep relay register".',
    )
    .addCommand(setupSambaCommand())
    .addCommand(outboxCommand());
