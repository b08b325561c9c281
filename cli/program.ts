import { Command, CommanderError, Option } from 'commander';
import { applyCommand } from './commands/apply';
import { blocklistCommand } from './commands/blocklist';
import { cancelCommand } from './commands/cancel';
import { capturesCommand } from './commands/captures';
import { changeCommand } from './commands/change';
import { changesCommand } from './commands/changes';
import { connectorCommand } from './commands/connector';
import { doctorCommand } from './commands/doctor';
import { graphCommand } from './commands/graph';
import { identitiesCommand } from './commands/identities';
import { keysCommand } from './commands/keys';
import { parkCommand } from './commands/park';
import { planCommand } from './commands/plan';
import { refreshCommand } from './commands/refresh';
import { relayCommand } from './commands/relay';
import { retryCommand } from './commands/retry';
import { sourcesCommand } from './commands/sources';
import { staleCommand } from './commands/stale';
import { statusCommand } from './commands/status';
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
  relayCommand,
  planCommand,
  applyCommand,
  doctorCommand,
  connectorCommand,
  refreshCommand,
  identitiesCommand,
  keysCommand,
  graphCommand,
  blocklistCommand,
  upCommand,
];

/** @returns the exit code; nothing is thrown */
export async function run(args: readonly string[]): Promise<number> {
  const program = buildProgram();
  try {
    await program.parseAsync(args, { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    // Commander has said it already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage.code;
    return exitCodes[tell(error, program.opts().output === 'json')].code;
  }
}

function buildProgram(): Command {
  const program = new Command('lockstep')
    .description('Keeps the password of a person the same everywhere it is used.')
    .addOption(
      new Option('-o, --output <format>', 'what to print')
        .choices(['text', 'json'])
        .default('text'),
    )
    .option(
      '--url <url>',
      'the api (default: LOCKSTEP_URL, else the one that "lockstep up" started)',
    )
    .option('--key-file <file>', 'file with the API key (default: LOCKSTEP_API_KEY_FILE)')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ outputError: (text, write) => write(withoutValues(text)) })
    .exitOverride()
    .addHelpText(
      'after',
      helpText({
        examples: [
          [
            'lockstep change alice --watch',
            'asks for a new password and shows how each account takes it',
          ],
          ['lockstep status last', 'what became of the newest change'],
          ['lockstep doctor', 'whether everything that Lockstep needs is right'],
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

/** Commander quotes an option that it does not know with its value, which may be a password. */
const withoutValues = (text: string): string => text.replace(/'(--?[\w-]+)=[^\n]*'/, "'$1=…'");

/** For the person on stderr, for a program on stdout. */
function tell(error: unknown, json: boolean): Exit {
  const failure = error instanceof Failure ? error : unforeseen(error);
  const output = outputOf(json);
  output.note([failure.message, ...failure.lines.map((line) => `  ${line}`)].join('\n'));
  if (json) output.show(failure.json, () => []);
  return failure.exit;
}

/** Without its message, which may quote what it chokes on. */
function unforeseen(error: unknown): Failure {
  const { name, code } = error as { name?: string; code?: unknown };
  const known = [name, code].filter((one) => typeof one === 'string').join(' ');
  return new Failure(`The command line of Lockstep made a mistake (${known}).`);
}
