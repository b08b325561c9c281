import { Command, Option } from 'commander';
import type { OutboxSetup } from '../../capture/polling/outbox/names';
import type { Exit } from '../exit-codes';
import { helpText } from '../help-text';
import { asFailure } from '../misconfigured';
import { action, type Session } from '../session';

export const outboxCommand = (): Command =>
  new Command('outbox')
    .summary('print the SQL that captures a password column')
    .description(
      'Prints the SQL that makes an outbox beside the table of an application, and the triggers that fill it; then how to undo ' +
        'it, and what to put into relay.json, both as comments. It connects to nothing: an administrator of the database reads ' +
        'the SQL and runs it.',
    )
    .addOption(
      new Option('--engine <engine>', 'mysql is MySQL and MariaDB')
        .choices(['postgres', 'mysql'])
        .makeOptionMandatory(),
    )
    .requiredOption(
      '--table <schema.table>',
      'the table of the application, as it is stored; in MySQL the database is the schema',
    )
    .requiredOption('--account-column <name>', 'the column that names an account')
    .requiredOption('--password-column <name>', 'the column with the password, or its hash')
    .option('--role <name>', 'whom the relay is to the database', 'lockstep_relay')
    .addHelpText(
      'after',
      helpText({
        examples: [
          [
            'lockstep relay setup outbox --engine postgres --table app.users --account-column login --password-column password_hash',
            'then: psql, as an administrator',
          ],
        ],
      }),
    )
    .action(action(printOutbox));

interface OutboxOptions {
  readonly engine: 'postgres' | 'mysql';
  readonly table: string;
  readonly accountColumn: string;
  readonly passwordColumn: string;
  readonly role: string;
}

async function printOutbox({ output }: Session, options: OutboxOptions): Promise<Exit> {
  const { setUpOutbox } =
    require('../../capture/polling/outbox/setup') as typeof import('../../capture/polling/outbox/setup');
  const { engine, table, accountColumn, passwordColumn, role } = options;
  const wanted = { engine, table, accountColumn, passwordColumn, role };
  const setup = await Promise.resolve(wanted).then(setUpOutbox).catch(asFailure);
  output.show(setup, () => linesOf(setup));
  return 'done';
}

const linesOf = ({ sql, undo, poll }: OutboxSetup): readonly string[] => [
  sql,
  '',
  '-- To undo it, which forgets what was not read yet:',
  ...undo.split('\n').map((line) => `--   ${line}`),
  '',
  '-- For relay.json, beside "spool":',
  // Written so that no name in it begins or ends a comment.
  `/*\n"poll": ${JSON.stringify(poll, null, 2).replaceAll('/', '\\/')}\n*/`,
];
