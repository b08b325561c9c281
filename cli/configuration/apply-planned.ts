import { confirm } from '../confirm';
import type { Exit } from '../exit-codes';
import type { ConfigurationApplied } from '../http/answers';
import type { Api } from '../http/api';
import type { Output } from '../output';
import { type Planned, planLines, warningLines } from './preview';

/**
 * Shows what a planned document would change with its warnings, asks for confirmation unless `yes` is set, and applies it. The API refuses
 * it if another operator has applied a configuration in the meantime.
 * @param more members that the JSON document has, too
 */
export async function applyPlanned(
  output: Output,
  api: Api,
  { document, plan, showsValues = false }: Planned,
  yes: boolean,
  more: object = {},
): Promise<Exit> {
  if (plan.differences.length === 0) {
    output.show({ ...more, version: plan.version, differences: [] }, () => planLines(output, plan));
    return 'done';
  }
  for (const line of [...planLines(output, plan, showsValues), ...warningLines(output, plan)])
    output.line(line);
  if (!yes) await confirm('Apply?');
  const { version } = await api.send<ConfigurationApplied>('POST', ['configuration', 'apply'], {
    body: { document, version: plan.version },
  });
  output.show({ ...more, version, differences: plan.differences }, () => [
    `Configuration ${version} is applied.`,
    'Next: lockstep doctor',
  ]);
  return 'done';
}
