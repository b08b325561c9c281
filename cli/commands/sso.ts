import { Command } from 'commander';
import { secretCommand } from './sso-secret';

export const ssoCommand = (): Command =>
  new Command('sso')
    .summary('administer the single sign-on store')
    .description('Administers the store of single sign-on credentials.')
    .addCommand(secretCommand());
