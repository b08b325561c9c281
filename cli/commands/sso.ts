import { Command } from 'commander';
import { importCommand } from './sso-import';
import { secretCommand } from './sso-secret';

export const ssoCommand = (): Command =>
  new Command('sso')
    .summary('administer the single sign-on store')
    .description('Administers the store of single sign-on credentials.')
    .addCommand(importCommand())
    .addCommand(secretCommand());
