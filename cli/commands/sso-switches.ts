import { Command, InvalidArgumentError } from 'commander';
import type { Switches } from '../../model/configuration/adapter';
import { adaptersIn } from '../../model/configuration/adapter-edits';
import { byName } from '../configuration/adapter-edits';
import {
  applyEdited,
  dryRunOption,
  type EditOptions,
  readConfiguration,
  yesOption,
} from '../configuration/edit';
import type { Exit } from '../exit-codes';
import { helpText } from '../help-text';
import { action, type Session } from '../session';
import { adapterTable } from '../text/adapters-text';

const directions: Readonly<Record<keyof Switches, string>> = {
  windowsToAdapters: 'changes are written to adapters',
  adaptersToStore: 'captures of adapters change the stored credential',
  adaptersToWindows: 'captures of adapters change the directory, too',
};

const switchNames = Object.keys(directions) as (keyof Switches)[];

export const switchesCommand = (): Command =>
  new Command('switches')
    .summary('show and set the directions in which adapters synchronize')
    .description(
      'Shows the three switches for all adapters. With --set it changes them, after it has shown what would change. A ' +
        'direction needs its switch and the flag of the adapter.',
    )
    .option(
      '--set <switch=value>',
      `switch to set, on or off: ${switchNames.join(', ')}`,
      (text, before: Partial<Switches> = {}) => ({ ...before, ...switchValue(text) }),
    )
    .addOption(dryRunOption())
    .addOption(yesOption())
    .addHelpText(
      'after',
      helpText({
        examples: [
          ['lockstep sso switches', 'shows the switches'],
          [
            'lockstep sso switches --set windowsToAdapters=on',
            'writes changes to the adapters with syncToAdapter',
          ],
        ],
      }),
    )
    .action(action(switches));

interface SwitchOptions extends EditOptions {
  readonly set?: Partial<Switches>;
}

async function switches({ output, api }: Session, options: SwitchOptions): Promise<Exit> {
  const lockstep = await api();
  const configuration = await readConfiguration(lockstep);
  const { sso } = configuration;
  if (options.set !== undefined) {
    const edited = { ...sso, switches: { ...sso.switches, ...options.set } };
    return applyEdited(output, lockstep, { ...configuration, sso: edited }, options);
  }
  output.show(sso.switches, () => switchLines(sso.switches));
  return 'done';
}

function switchValue(text: string): Partial<Switches> {
  const [, given, value] = /^(\w+)=(on|off)$/.exec(text) ?? [];
  const name = switchNames.find((known) => known === given);
  if (name === undefined)
    throw new InvalidArgumentError(`Give one of ${switchNames.join(', ')}, then =on or =off.`);
  return { [name]: value === 'on' };
}

const switchLines = (values: Switches): string[] =>
  switchNames.map(
    (name) => `${name.padEnd(17)}  ${values[name] ? 'on ' : 'off'}  ${directions[name]}`,
  );

export const statusCommand = (): Command =>
  new Command('status')
    .summary('show the switches and what each adapter synchronizes')
    .description('Shows the switches, then each adapter with what it synchronizes now.')
    .addHelpText(
      'after',
      helpText({ examples: [['lockstep sso status', 'shows what is synchronized']] }),
    )
    .action(
      action(async ({ output, api }: Session): Promise<Exit> => {
        const configuration = await readConfiguration(await api());
        const { switches: values } = configuration.sso;
        const adapters = byName(adaptersIn(configuration));
        output.show({ switches: values, adapters }, () => [
          ...switchLines(values),
          '',
          ...adapterTable(output, adapters, values),
        ]);
        return 'done';
      }),
    );
