import { Option } from 'commander';
import type { Configuration } from '../../model/configuration/document';
import type { Exit } from '../exit-codes';
import type { Plan } from '../http/answers';
import type { Api } from '../http/api';
import type { Output } from '../output';
import { applyPlanned } from './apply-planned';
import { planLines, warningLines } from './preview';

export interface EditOptions {
  readonly dryRun?: true;
  readonly yes?: true;
}

/** The options of `EditOptions`, one for each. */
export const dryRunOption = (): Option =>
  new Option('--dry-run', 'show what would change, and change nothing');
export const yesOption = (): Option => new Option('--yes', 'apply without asking for confirmation');

/** Reads the configuration in force. */
export const readConfiguration = async (api: Api): Promise<Configuration> =>
  (await api.get<{ readonly configuration: Configuration }>(['configuration'])).configuration;

/**
 * Plans an edited configuration, and applies it after a confirmation. With `dryRun` it shows the plan and changes
 * nothing.
 * @param more members that the JSON document has, too
 */
export async function applyEdited(
  output: Output,
  api: Api,
  document: unknown,
  { dryRun, yes }: EditOptions,
  more: object = {},
): Promise<Exit> {
  const plan = await api.send<Plan>('POST', ['configuration', 'plan'], { body: { document } });
  if (dryRun !== true)
    return applyPlanned(output, api, { document, plan, showsValues: true }, yes === true, more);
  output.show({ ...more, ...plan }, () => [
    ...planLines(output, plan, true),
    ...warningLines(output, plan),
  ]);
  return 'done';
}
