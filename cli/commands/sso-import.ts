import { Command } from 'commander';
import {
  applyEdited,
  dryRunOption,
  type EditOptions,
  readConfiguration,
  yesOption,
} from '../configuration/edit';
import { becomesLines } from '../entsso/translation';
import type { Exit } from '../exit-codes';
import { helpText } from '../help-text';
import { action, type Session } from '../session';

export const importCommand = (): Command =>
  new Command('import')
    .summary('set the settings of the store from a file of ENTSSO')
    .description(
      'Sets the section "sso" of the configuration from an XML file of "ssomanage -updatedb". It shows first what becomes ' +
        'of each part of the file, and what has no counterpart.',
    )
    .argument('<file>', 'XML file of ENTSSO')
    .addOption(dryRunOption())
    .addOption(yesOption())
    .addHelpText(
      'after',
      helpText({
        examples: [
          ['lockstep sso import globalinfo.xml --dry-run', 'shows what the settings become'],
        ],
      }),
    )
    .action(action(importSystem));

async function importSystem(
  { output, api }: Session,
  file: string,
  options: EditOptions,
): Promise<Exit> {
  // The parser is loaded on demand, because most commands read no file.
  const { readSystemXml } =
    require('../entsso/system-xml') as typeof import('../entsso/system-xml');
  const { sso, becomes } = readSystemXml(file);
  const lockstep = await api();
  const configuration = await readConfiguration(lockstep);
  for (const line of becomesLines(output, becomes)) output.line(line);
  const document = { ...configuration, sso: { ...configuration.sso, ...sso } };
  return applyEdited(output, lockstep, document, options, { becomes });
}
