import path from 'node:path';
import { Command } from 'commander';
import { helpText } from '../help-text';
import { action, readEnvironment } from '../session';
import type { UpOptions } from '../up/up';

export const upCommand = (): Command =>
  new Command('up')
    .summary('run Lockstep on this machine')
    .description(
      'Starts the API, a worker and the lookup service, and runs until Ctrl-C. It also starts a Temporal server and a ' +
        'PostgreSQL server, unless TEMPORAL_ADDRESS and DATABASE_URL name others. Programs that this machine does not ' +
        'have are downloaded once. All data is in one folder. The API listens on port 8080, the lookup service on 8444 ' +
        'and the Web UI of Temporal on 8233; if such a port is in use, a free one is chosen. The command prints the ' +
        'addresses. To choose the ports yourself, start the processes without "lockstep up" (docs/installing.md), with ' +
        'LOCKSTEP_API_PORT.',
    )
    .option(
      '--demo',
      'also start a demo company of twenty people on real servers, and change one password',
    )
    .option(
      '--with-ad',
      'with --demo: also start an Active Directory (Samba; needs root on Debian)',
    )
    .option(
      '--password-file <file>',
      'with --demo: read the new password from the first line of this file',
    )
    .option(
      '--once',
      'with --demo: end after the change; the exit code is 0 only if every account was verified',
    )
    .option('--json', 'with --demo: print the result as one line of JSON')
    .option('--fresh', 'start from scratch: delete all data in --state-dir first')
    .option(
      '--state-dir <dir>',
      'folder for all data',
      (dir) => path.resolve(dir),
      path.resolve('.lockstep'),
    )
    .addHelpText(
      'after',
      helpText({
        examples: [
          [
            'npm start',
            'installs and builds Lockstep if necessary, then runs "lockstep up --demo"',
          ],
          ['npm start -- --once --json', 'runs the demo in a script'],
        ],
      }),
    )
    .action(
      action((session, options: UpOptions) => {
        readEnvironment(session.output);
        // Loaded on demand: no other command starts servers.
        const { up } = require('../up/up') as typeof import('../up/up');
        return up(session.output, options);
      }),
    );
