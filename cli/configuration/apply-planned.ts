import { createInterface } from 'node:readline/promises';
import type { Exit } from '../exit-codes';
import { Failure, usage } from '../failure';
import type { ConfigurationApplied } from '../http/answers';
import type { Api } from '../http/api';
import type { Output } from '../output';
import { type Planned, planLines } from './preview';

/**
 * Shows what a planned document would change, asks for confirmation unless `yes` is set, and applies it. The API refuses
 * it if another operator has applied a configuration in the meantime.
 */
export async function applyPlanned(
  output: Output,
  api: Api,
  { document, plan }: Planned,
  yes: boolean,
): Promise<Exit> {
  if (plan.differences.length === 0) {
    output.show({ version: plan.version, differences: [] }, () => planLines(output, plan));
    return 'done';
  }
  for (const line of planLines(output, plan)) output.line(line);
  if (!yes) await confirm();
  const { version } = await api.send<ConfigurationApplied>('POST', ['configuration', 'apply'], {
    body: { document, version: plan.version },
  });
  output.show({ version, differences: plan.differences }, () => [
    `Configuration ${version} is applied.`,
    'Next: lockstep doctor',
  ]);
  return 'done';
}

async function confirm(): Promise<void> {
  if (!process.stdin.isTTY)
    throw usage(
      'There is no terminal to ask for confirmation. Check what would change, then run the command again with --yes.',
    );
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  // Ctrl-C and Ctrl-D close the question without an answer.
  const closed = new AbortController();
  asking.once('close', () => closed.abort());
  const answer = await asking.question('Apply? [y/N] ', { signal: closed.signal }).catch(() => '');
  asking.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw new Failure('Nothing was changed.');
}
