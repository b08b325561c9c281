import path from 'node:path';
import { Command } from 'commander';
import { helpText } from '../help-text';
import { action } from '../session';
import type { UpOptions } from '../up/up';

export const upCommand = (): Command =>
  new Command('up')
    .summary('run Lockstep on this machine')
    .description(
      'Starts the api and a worker, with a Temporal server and a PostgreSQL of their own unless TEMPORAL_ADDRESS and ' +
        'DATABASE_URL name others, and stays until Ctrl-C. What it needs is found on this machine or fetched once; what it ' +
        'keeps is in one folder.',
    )
    .option(
      '--demo',
      'with a company of twenty people on real servers, and a change in front of you',
    )
    .option('--with-ad', 'the company also has an Active Directory (Samba; root on Debian)')
    .option('--password-file <file>', 'the new password of the demo: its first line')
    .option('--once', 'end after the change of the demo; 0 only if every proof held')
    .option('--json', 'print the result of the demo as one line of JSON at the end')
    .option('--fresh', 'begin anew: everything that was kept is removed')
    .option(
      '--state-dir <dir>',
      'where everything is kept',
      (dir) => path.resolve(dir),
      path.resolve('.lockstep'),
    )
    .addHelpText(
      'after',
      helpText({
        examples: [
          ['npm start', 'sets up what is missing, then runs this with --demo'],
          ['npm start -- --once --json', 'the demo for a script'],
        ],
      }),
    )
    .action(
      action((session, options: UpOptions) => {
        // Loaded only here: it starts servers, and no other command does.
        const { up } = require('../up/up') as typeof import('../up/up');
        return up(session.output, options);
      }),
    );
