import { Command, CommanderError, Option } from 'commander';
import { release } from '../release';
import { adaptersCommand } from './commands/adapters';
import { applicationsCommand } from './commands/applications';
import { applyCommand } from './commands/apply';
import { auditCommand } from './commands/audit';
import { blocklistCommand } from './commands/blocklist';
import { cancelCommand } from './commands/cancel';
import { capturesCommand } from './commands/captures';
import { changeCommand } from './commands/change';
import { changesCommand } from './commands/changes';
import { configurationCommand } from './commands/configuration';
import { connectorCommand } from './commands/connector';
import { doctorCommand } from './commands/doctor';
import { graphCommand } from './commands/graph';
import { groupsCommand } from './commands/groups';
import { identitiesCommand } from './commands/identities';
import { keysCommand } from './commands/keys';
import { mappingsCommand } from './commands/mappings';
import { noticesCommand } from './commands/notices';
import { parkCommand } from './commands/park';
import { planCommand } from './commands/plan';
import { refreshCommand } from './commands/refresh';
import { relayCommand } from './commands/relay';
import { retryCommand } from './commands/retry';
import { sourcesCommand } from './commands/sources';
import { ssoCommand } from './commands/sso';
import { staleCommand } from './commands/stale';
import { statusCommand } from './commands/status';
import { supportBundleCommand } from './commands/support-bundle';
import { upCommand } from './commands/up';
import { type Exit, exitCodes } from './exit-codes';
import { Failure } from './failure';
import { helpText } from './help-text';
import { outputOf } from './output';

const commands = [
  changeCommand,
  statusCommand,
  changesCommand,
  retryCommand,
  parkCommand,
  cancelCommand,
  staleCommand,
  sourcesCommand,
  capturesCommand,
  noticesCommand,
  relayCommand,
  planCommand,
  applyCommand,
  configurationCommand,
  groupsCommand,
  adaptersCommand,
  applicationsCommand,
  mappingsCommand,
  doctorCommand,
  connectorCommand,
  refreshCommand,
  identitiesCommand,
  keysCommand,
  ssoCommand,
  auditCommand,
  graphCommand,
  blocklistCommand,
  supportBundleCommand,
  upCommand,
];

/** Runs one command line. It reports every error itself and never throws. @returns the exit code */
export async function run(args: readonly string[]): Promise<number> {
  const program = buildProgram();
  try {
    await program.parseAsync(args, { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    // Commander has already printed the error.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage.code;
    return exitCodes[report(error, program.opts().output === 'json')].code;
  }
}

function buildProgram(): Command {
  const program = new Command('lockstep')
    .description("Keeps a person's password the same in every system that uses it.")
    .version(release(), '-V, --version', 'show the version of this program')
    .addOption(
      new Option('-o, --output <format>', 'output format')
        .choices(['text', 'json'])
        .default('text'),
    )
    .option(
      '--url <url>',
      'address of the API (default: LOCKSTEP_URL, otherwise the API that "lockstep up" started, otherwise http://127.0.0.1:8080)',
    )
    .option(
      '--key-file <file>',
      'file that holds the API key (default: LOCKSTEP_API_KEY, LOCKSTEP_API_KEY_FILE, or the key of "lockstep up")',
    )
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ outputError: (text, write) => write(withoutValues(text)) })
    .exitOverride()
    .addHelpText(
      'after',
      helpText({
        examples: [
          [
            'lockstep change alice --watch',
            'asks for a new password and shows the progress of each account',
          ],
          [
            'lockstep status last',
            'shows the newest change: the state of each account and what to do next',
          ],
          ['lockstep doctor', 'checks the API, the worker and every source'],
        ],
        exits: { partial: exitCodes.partial.says, pending: exitCodes.pending.says },
      }),
    );
  for (const create of commands) adopt(program, create());
  return program;
}

function adopt(parent: Command, command: Command): void {
  command.copyInheritedSettings(parent);
  for (const child of command.commands) adopt(command, child);
  if (!parent.commands.includes(command)) parent.addCommand(command);
}

/** Commander quotes an unknown option together with its value, which may be a password: this removes the value. */
const withoutValues = (text: string): string => text.replace(/'(--?[\w-]+)=[^\n]*'/, "'$1=…'");

/** Prints the error: a message for a person on stderr and, with `-o json`, a document on stdout. */
function report(error: unknown, json: boolean): Exit {
  const failure = error instanceof Failure ? error : unexpected(error);
  const output = outputOf(json);
  output.note([failure.message, ...failure.lines.map((line) => `  ${line}`)].join('\n'));
  if (json) output.show(failure.json, () => []);
  return failure.exit;
}

/**
 * The failure for an error that no command expects. Its message is left out, because it may quote a password; only that of
 * `Misconfigured` is written for operators. `config.ts` throws it while it is loaded, so its name shows what it is.
 */
function unexpected(error: unknown): Failure {
  const { name, code, message = '' } = error as { name?: string; code?: unknown; message?: string };
  if (name === 'Misconfigured') return new Failure(message, { exit: 'usage' });
  const kind = [name, code].filter((part) => typeof part === 'string').join(' ');
  return new Failure(
    `Internal error in the command line of Lockstep (${kind}). Report it with the command that you ran, without passwords.`,
  );
}
