import { Command, InvalidArgumentError } from 'commander';
import { adapterProperties, adapterProperty } from '../../model/adapters/settings';
import { adapterFlags, adaptersIn } from '../../model/configuration/adapter-edits';
import type { Configuration } from '../../model/configuration/document';
import {
  type AdapterFlag,
  byName,
  existingAdapter,
  groupedAdapters,
  withAdapter,
  withApplication,
  withEnabled,
  withNewAdapter,
  withoutAdapter,
  withoutApplication,
  withoutGroup,
  withProperties,
} from '../configuration/adapter-edits';
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
import { adapterLines, adapterTable } from '../text/adapters-text';
import { commaSeparated } from '../values';

export const adaptersCommand = (): Command =>
  new Command('adapters')
    .summary('list, create, change and delete adapters')
    .description(
      'Shows and changes the adapters of single sign-on: sources that get passwords from the directory and report their ' +
        'own. The commands change the configuration in force, and each change is shown first. Update your file afterwards ' +
        'with "lockstep configuration show".',
    )
    .addCommand(listCommand(), { isDefault: true })
    .addCommand(showCommand())
    .addCommand(createCommand())
    .addCommand(updateCommand())
    .addCommand(setPropertiesCommand())
    .addCommand(switchCommand('enable'))
    .addCommand(switchCommand('disable'))
    .addCommand(deleteCommand())
    .addCommand(addApplicationCommand())
    .addCommand(removeApplicationCommand())
    .addCommand(groupCommand())
    .addCommand(resetCommand());

const examples = (...lines: [string, string][]): string => helpText({ examples: lines });

const listCommand = (): Command =>
  new Command('list')
    .summary('list adapters (the default command)')
    .description('Lists the adapters with their state, group, applications and directions.')
    .option('--group <group>', 'only the adapters of this group')
    .addHelpText('after', examples(['lockstep adapters', 'lists the adapters']))
    .action(
      action(async ({ output, api }: Session, { group }: { readonly group?: string }) => {
        const configuration = await readConfiguration(await api());
        const found =
          group === undefined ? adaptersIn(configuration) : groupedAdapters(configuration, group);
        const adapters = byName(found);
        output.show({ adapters }, () => adapterTable(output, adapters, configuration.sso.switches));
        return 'done';
      }),
    );

const showCommand = (): Command =>
  new Command('show')
    .description('Shows the flags of an adapter, and what they synchronize with the switches.')
    .argument('<adapter>', 'name of the adapter, which is that of its source')
    .addHelpText('after', examples(['lockstep adapters show warehouse', 'shows the adapter']))
    .action(
      action(async ({ output, api }: Session, name: string) => {
        const configuration = await readConfiguration(await api());
        const { adapter } = existingAdapter(configuration, name);
        const { switches } = configuration.sso;
        output.show({ name, ...adapter, switches }, () => adapterLines(name, adapter, switches));
        return 'done';
      }),
    );

/** Adds the options of a command that edits the configuration, and its action. */
function edits<Options extends EditOptions>(
  command: Command,
  edit: (configuration: Configuration, args: readonly string[], options: Options) => object,
): Command {
  return command
    .addOption(dryRunOption())
    .addOption(yesOption())
    .action(
      action(async ({ output, api }: Session, ...given: unknown[]): Promise<Exit> => {
        const args = given.filter((one): one is string => typeof one === 'string');
        const options = given.find((one): one is Options => typeof one === 'object') as Options;
        const lockstep = await api();
        const edited = edit(await readConfiguration(lockstep), args, options);
        return applyEdited(output, lockstep, edited, options);
      }),
    );
}

interface FlagOptions extends EditOptions {
  readonly application?: string[];
  readonly set?: AdapterFlag[];
}

const createCommand = (): Command =>
  edits<FlagOptions>(
    withFlags(new Command('create'))
      .description('Makes a source an adapter. It is disabled until you enable it.')
      .argument('<source>', 'name of the source')
      .option('--application <names>', 'applications that it serves', commaSeparated)
      .addHelpText(
        'after',
        examples([
          'lockstep adapters create warehouse --application reports --set syncToAdapter=yes',
          'creates a disabled adapter that gets changes once it is enabled',
        ]),
      ),
    (configuration, [name = ''], { application = [], set = [] }) =>
      withNewAdapter(configuration, name, application, set),
  );

const updateCommand = (): Command =>
  edits<FlagOptions>(
    withFlags(new Command('update'))
      .description('Changes the flags of an adapter.')
      .argument('<adapter>', 'name of the adapter')
      .addHelpText(
        'after',
        examples([
          'lockstep adapters update warehouse --set syncFromAdapter=yes',
          'accepts passwords that are changed in the warehouse',
        ]),
      ),
    (configuration, [name = ''], { set: flags = [] }) =>
      withAdapter(configuration, name, { flags }),
  );

const withFlags = (command: Command): Command =>
  command.option(
    '--set <flag=value>',
    `flag to set, yes or no: ${adapterFlags.join(', ')}`,
    (text, before: AdapterFlag[] = []) => [...before, adapterFlag(text)],
  );

function adapterFlag(text: string): AdapterFlag {
  const [, given, value] = /^(\w+)=(yes|no)$/.exec(text) ?? [];
  const name = adapterFlags.find((known) => known === given);
  if (name === undefined)
    throw new InvalidArgumentError(`Give one of ${adapterFlags.join(', ')}, then =yes or =no.`);
  return { name, value: value === 'yes' };
}

interface PropertyOptions extends EditOptions {
  readonly set: Readonly<Record<string, unknown>>;
}

const setPropertiesCommand = (): Command =>
  edits<PropertyOptions>(
    new Command('set-props')
      .description(
        'Changes the properties of an adapter that pulls its changes: how often and when a message is delivered again, and how long it waits.',
      )
      .argument('<adapter>', 'name of the adapter')
      .requiredOption(
        '--set <property=value>',
        `property to set, a number, yes or no, or default: ${adapterProperties.join(', ')}`,
        (text, before: Readonly<Record<string, unknown>> = {}) => ({
          ...before,
          ...property(text),
        }),
      )
      .addHelpText(
        'after',
        examples([
          'lockstep adapters set-props racf --set retryCount=3 --set maxPending=16',
          'delivers a message again three times at most, and 16 messages at once',
        ]),
      ),
    (configuration, [name = ''], { set: properties }) =>
      withProperties(configuration, name, properties),
  );

function property(text: string): Readonly<Record<string, unknown>> {
  const [, given, value = ''] = /^(\w+)=(yes|no|default|\d+)$/.exec(text) ?? [];
  const name = adapterProperties.find((known) => known === given);
  if (name === undefined)
    throw new InvalidArgumentError(
      `Give one of ${adapterProperties.join(', ')}, then = and a number, yes, no or default.`,
    );
  return { [name]: adapterProperty(value) };
}

interface GroupOptions extends EditOptions {
  readonly group?: string;
}

const switchCommand = (verb: 'enable' | 'disable'): Command =>
  edits<GroupOptions>(
    new Command(verb)
      .description(
        verb === 'enable'
          ? 'Enables an adapter, or every adapter of a group. The directions also need their switches.'
          : 'Disables an adapter, or every adapter of a group: nothing is written to it, and its captures are refused.',
      )
      .argument('[adapter]', 'name of the adapter')
      .option('--group <group>', 'every adapter of this group')
      .addHelpText(
        'after',
        examples([`lockstep adapters ${verb} --group mainframes`, `${verb}s them together`]),
      ),
    (configuration, [name], { group }) => {
      if ((name === undefined) === (group === undefined))
        throw usage('Give the name of an adapter, or --group.');
      const names =
        group === undefined
          ? [existingAdapter(configuration, name ?? '').name]
          : groupedAdapters(configuration, group).map((one) => one.name);
      return withEnabled(configuration, names, verb === 'enable');
    },
  );

const deleteCommand = (): Command =>
  edits(
    new Command('delete')
      .description(
        'Makes an adapter an ordinary source again, without captures. It must be disabled first.',
      )
      .argument('<adapter>', 'name of the adapter')
      .addHelpText('after', examples(['lockstep adapters delete warehouse', 'deletes it'])),
    (configuration, [name = '']) => withoutAdapter(configuration, name),
  );

const addApplicationCommand = (): Command =>
  edits(
    new Command('add-app')
      .description('Assigns an application to the adapter of its source.')
      .argument('<adapter>', 'name of the adapter')
      .argument('<application>', 'name of the application')
      .addHelpText(
        'after',
        examples(['lockstep adapters add-app warehouse reports', 'serves the application']),
      ),
    (configuration, [name = '', application = '']) =>
      withApplication(configuration, name, application),
  );

const removeApplicationCommand = (): Command =>
  edits(
    new Command('remove-app')
      .description('Removes an application from its adapter. The application is not deleted.')
      .argument('<application>', 'name of the application')
      .addHelpText('after', examples(['lockstep adapters remove-app reports', 'removes it'])),
    (configuration, [application = '']) => withoutApplication(configuration, application),
  );

const groupCommand = (): Command =>
  edits<EditOptions & { readonly none?: true }>(
    new Command('group')
      .description(
        'Puts an adapter into a group. The adapters of a group are enabled and disabled together.',
      )
      .argument('<adapter>', 'name of the adapter')
      .argument('[group]', 'name of the group')
      .option('--none', 'take the adapter out of its group')
      .addHelpText(
        'after',
        examples(['lockstep adapters group warehouse mainframes', 'puts it into the group']),
      ),
    (configuration, [name = '', group], { none }) => {
      if ((group === undefined) === (none === undefined))
        throw usage('Give the name of a group, or --none.');
      return group === undefined
        ? withoutGroup(configuration, name)
        : withAdapter(configuration, name, { adapterGroup: group });
    },
  );

const resetCommand = (): Command =>
  new Command('reset')
    .description(
      'Clears the history of captured and written passwords of the adapter, so that an identical change counts as a new ' +
        'one, and a capture of a password that Lockstep has written itself counts, too.',
    )
    .argument('[adapter]', 'name of the adapter; by default all')
    .addHelpText('after', examples(['lockstep adapters reset warehouse', 'clears its history']))
    .action(
      action(async ({ output, api }: Session, name: string | undefined): Promise<Exit> => {
        const lockstep = await api();
        // Only a key that may configure reads the configuration; an operator names the adapter.
        const names =
          name === undefined
            ? adaptersIn(await readConfiguration(lockstep)).map((one) => one.name)
            : [name];
        const body = { sources: names };
        const reset = await lockstep.send<{ readonly changes: number }>(
          'POST',
          ['captures', 'reset'],
          { body },
        );
        output.show(reset, () => [
          `The history of ${names.join(', ') || 'no adapter'} is cleared: ${reset.changes} changes are forgotten.`,
        ]);
        return 'done';
      }),
    );
