import { Command } from 'commander';
import { importCommand } from './sso-import';
import { secretCommand } from './sso-secret';
import { statusCommand, switchesCommand } from './sso-switches';

export const ssoCommand = (): Command =>
  new Command('sso')
    .summary('administer single sign-on: its switches and its store')
    .description(
      'Administers the directions in which adapters synchronize, and the store of single sign-on credentials.',
    )
    .addCommand(statusCommand())
    .addCommand(switchesCommand())
    .addCommand(importCommand())
    .addCommand(secretCommand());
