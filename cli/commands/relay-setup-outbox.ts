import { Command, Option } from 'commander';
import type { OutboxSetup } from '../../capture/polling/outbox/names';
import type { Exit } from '../exit-codes';
import { helpText } from '../help-text';
import { asFailure } from '../misconfigured';
import { action, type Session } from '../session';

export const outboxCommand = (): Command =>
  new Command('outbox')
    .summary('print the SQL that captures changes of a password column')
    .description(
      'Prints the SQL that creates an outbox next to the table of an application, and the triggers that fill it. Comments ' +
        'below it contain the SQL to undo this, and the settings for relay.json. The command connects to nothing: a database ' +
        'administrator reviews the SQL and runs it.',
    )
    .addOption(
      new Option('--engine <engine>', 'database; mysql stands for MySQL and MariaDB')
        .choices(['postgres', 'mysql'])
        .makeOptionMandatory(),
    )
    .requiredOption(
      '--table <schema.table>',
      'table of the application, in the exact case of its name; in MySQL the schema is the database',
    )
    .requiredOption('--account-column <name>', 'column with the name of the account')
    .requiredOption('--password-column <name>', 'column with the password or its hash')
    .option('--role <name>', 'database role of the relay', 'lockstep_relay')
    .addHelpText(
      'after',
      helpText({
        examples: [
          [
            'lockstep relay setup outbox --engine postgres --table app.users --account-column login --password-column password_hash',
            'prints the SQL; review it, then run it with psql as an administrator',
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
  '-- To undo this (changes that the relay has not read yet are lost):',
  ...undo.split('\n').map((line) => `--   ${line}`),
  '',
  '-- Settings for relay.json, next to "spool":',
  // Every slash is escaped, so that no name can begin or end a comment.
  `/*\n"poll": ${JSON.stringify(poll, null, 2).replaceAll('/', '\\/')}\n*/`,
];
