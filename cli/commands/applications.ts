import { Command, InvalidArgumentError, Option } from 'commander';
import { adaptersIn } from '../../model/configuration/adapter-edits';
import type { Application, ApplicationType } from '../../model/configuration/application';
import {
  applyEdited,
  dryRunOption,
  type EditOptions,
  readConfiguration,
  yesOption,
} from '../configuration/edit';
import type { Exit } from '../exit-codes';
import { usage } from '../failure';
import { helpText } from '../help-text';
import { action, type Session } from '../session';
import { applicationLines, applicationTable } from '../text/applications-text';
import { commaSeparated } from '../values';
import { importCommand } from './applications-import';

export const applicationsCommand = (): Command =>
  new Command('applications')
    .summary('list, create, import, change and delete applications')
    .description(
      'Shows and changes the single sign-on applications of the configuration in force. Each change is shown first, like a ' +
        'change of the file with "lockstep plan". Update your file afterwards with "lockstep configuration show".',
    )
    .addCommand(listCommand(), { isDefault: true })
    .addCommand(showCommand())
    .addCommand(createCommand())
    .addCommand(importCommand())
    .addCommand(updateCommand())
    .addCommand(deleteCommand());

const listCommand = (): Command =>
  new Command('list')
    .summary('list applications (the default command)')
    .description(
      'Lists the applications with their type, their source and whether they are enabled.',
    )
    .addHelpText(
      'after',
      helpText({ examples: [['lockstep applications', 'lists the applications']] }),
    )
    .action(action(list));

async function list({ output, api }: Session): Promise<Exit> {
  const { applications } = await readConfiguration(await api());
  output.show({ applications }, () => applicationTable(output, applications));
  return 'done';
}

const showCommand = (): Command =>
  new Command('show')
    .description('Shows the fields, the flags and the people of an application.')
    .argument('<application>', 'name of the application')
    .addHelpText(
      'after',
      helpText({ examples: [['lockstep applications show reports', 'shows the application']] }),
    )
    .action(action(show));

async function show({ output, api }: Session, name: string): Promise<Exit> {
  const application = existing((await readConfiguration(await api())).applications, name);
  output.show({ name, ...application }, () => applicationLines(name, application));
  return 'done';
}

interface Wanted extends EditOptions {
  readonly source: string;
  readonly type?: ApplicationType;
  readonly label?: string;
  readonly field?: string[];
  readonly synced?: string;
  readonly user?: string[];
  readonly administrator?: string[];
  readonly set?: Flag[];
}

const createCommand = (): Command =>
  withFlags(
    new Command('create')
      .description('Creates an application whose credentials follow the passwords of a source.')
      .argument('<application>', 'name of the application')
      .requiredOption('--source <source>', 'source whose accounts sign in to the application')
      .addOption(
        new Option('--type <type>', 'how people and accounts meet; it cannot be changed later')
          .choices(['individual', 'host-group'])
          .default('individual'),
      )
      .option(
        '--field <names>',
        'fields of a credential, separated by commas, the user id first; they cannot be changed later',
        commaSeparated,
      )
      .option('--synced <name>', 'the field that holds the password, of more than two fields'),
  )
    .addHelpText(
      'after',
      helpText({
        examples: [
          [
            'lockstep applications create reports --source warehouse --set tickets.allowed=yes',
            'creates the application "reports", which accepts tickets',
          ],
        ],
      }),
    )
    .action(action(create));

async function create({ output, api }: Session, name: string, wanted: Wanted): Promise<Exit> {
  const lockstep = await api();
  const configuration = await readConfiguration(lockstep);
  if (Object.hasOwn(configuration.applications, name))
    throw usage(`There is an application "${name}". Use "lockstep applications update ${name}".`);
  const { source, type } = wanted;
  const created = { source, type, ...fieldsOf(wanted), ...changesIn(wanted) };
  return applyEdited(output, lockstep, withApplication(configuration, name, created), wanted);
}

/** The password is masked; every other field is shown. */
const fieldsOf = ({ field, synced = field?.[1] }: Wanted) =>
  field === undefined
    ? {}
    : {
        fields: field.map((name) =>
          name === synced ? { name, masked: true, synced: true } : { name },
        ),
      };

const updateCommand = (): Command =>
  withFlags(
    new Command('update')
      .description(
        'Changes the source, the label, the flags or the people of an application. Its type and fields stay as they are.',
      )
      .argument('<application>', 'name of the application')
      .option('--source <source>', 'source whose accounts sign in to the application'),
  )
    .addHelpText(
      'after',
      helpText({
        examples: [
          [
            'lockstep applications update reports --set enabled=no --dry-run',
            'shows what disabling the application would change',
          ],
        ],
      }),
    )
    .action(action(update));

async function update({ output, api }: Session, name: string, wanted: Wanted): Promise<Exit> {
  const lockstep = await api();
  const configuration = await readConfiguration(lockstep);
  const before = existing(configuration.applications, name);
  const changes = changesIn(wanted);
  const updated = {
    ...before,
    ...changes,
    source: wanted.source ?? before.source,
    // Members that the options do not name stay, such as groups of people.
    tickets: { ...before.tickets, ...changes.tickets },
    users: { ...before.users, ...changes.users },
    administrators: { ...before.administrators, ...changes.administrators },
  };
  return applyEdited(output, lockstep, withApplication(configuration, name, updated), wanted);
}

const deleteCommand = (): Command =>
  new Command('delete')
    .description('Deletes an application. It must be disabled first, with "--set enabled=no".')
    .argument('<application>', 'name of the application')
    .addOption(dryRunOption())
    .addOption(yesOption())
    .addHelpText(
      'after',
      helpText({ examples: [['lockstep applications delete reports', 'deletes it']] }),
    )
    .action(action(remove));

async function remove({ output, api }: Session, name: string, options: EditOptions): Promise<Exit> {
  const lockstep = await api();
  const configuration = await readConfiguration(lockstep);
  if (existing(configuration.applications, name).enabled)
    throw usage(
      `The application "${name}" is enabled. Run "lockstep applications update ${name} --set enabled=no" first.`,
    );
  const adapter = adaptersIn(configuration).find((one) => one.adapter.applications.includes(name));
  if (adapter !== undefined)
    throw usage(
      `The adapter "${adapter.name}" serves the application "${name}". Run "lockstep adapters remove-app ${name}" first.`,
    );
  const { [name]: _, ...applications } = configuration.applications;
  return applyEdited(output, lockstep, { ...configuration, applications }, options);
}

const withFlags = (command: Command): Command =>
  command
    .option('--label <text>', 'name that people read')
    .option('--user <names>', 'people who may use it, separated by commas', commaSeparated)
    .option('--administrator <names>', 'people who administer it', commaSeparated)
    .option('--set <flag=value>', `flag to set, yes or no: ${flags.join(', ')}`, flag)
    .addOption(dryRunOption())
    .addOption(yesOption());

const flags = [
  'enabled',
  'windowsInitiated',
  'hostInitiated',
  'validatePassword',
  'tickets.allowed',
  'tickets.validated',
  'credentialCache',
  'localAccounts',
  'administratorAccountsSame',
] as const;

interface Flag {
  readonly name: string;
  readonly value: boolean;
}

/** Parses `name=yes`. The option can be repeated, so it adds to those before. */
function flag(text: string, before: readonly Flag[] = []): Flag[] {
  const [, name = '', value] = /^([\w.]+)=(yes|no)$/.exec(text) ?? [];
  if (!flags.some((known) => known === name))
    throw new InvalidArgumentError(`Give one of ${flags.join(', ')}, then =yes or =no.`);
  return [...before, { name, value: value === 'yes' }];
}

/** The members of an application that the options set. */
function changesIn({ label, user, administrator, set = [] }: Wanted) {
  const ticketFlag = /^tickets\./;
  const valuesOf = (chosen: readonly Flag[]) =>
    Object.fromEntries(chosen.map(({ name, value }) => [name.replace(ticketFlag, ''), value]));
  const ofTickets = set.filter(({ name }) => ticketFlag.test(name));
  return {
    ...valuesOf(set.filter(({ name }) => !ticketFlag.test(name))),
    ...(label === undefined ? {} : { label }),
    ...(user === undefined ? {} : { users: { identities: user } }),
    ...(administrator === undefined ? {} : { administrators: { identities: administrator } }),
    ...(ofTickets.length === 0 ? {} : { tickets: valuesOf(ofTickets) }),
  };
}

const withApplication = (
  configuration: Awaited<ReturnType<typeof readConfiguration>>,
  name: string,
  application: object,
) => ({
  ...configuration,
  applications: { ...configuration.applications, [name]: application },
});

function existing(applications: Readonly<Record<string, Application>>, name: string): Application {
  const found = Object.hasOwn(applications, name) ? applications[name] : undefined;
  if (found === undefined)
    throw usage(`There is no application "${name}". "lockstep applications" lists them.`);
  return found;
}
