import { Command } from 'commander';
import { outboxCommand } from './relay-setup-outbox';
import { setupSambaCommand } from './relay-setup-samba';

export const relaySetupCommand = (): Command =>
  new Command('setup')
    .summary('set up the source that submits passwords to a relay')
    .description('Run each once, on the machine of the source.')
    .addCommand(setupSambaCommand())
    .addCommand(outboxCommand());
