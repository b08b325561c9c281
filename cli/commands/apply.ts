import { createInterface } from 'node:readline/promises';
import { Command } from 'commander';
import { planFile, planLines } from '../configuration/preview';
import type { Exit } from '../exit-codes';
import { Failure, usage } from '../failure';
import { helpText } from '../help-text';
import { action, type Session } from '../session';

interface Options {
  readonly file: string;
  readonly yes?: true;
}

export const applyCommand = (): Command =>
  new Command('apply')
    .summary('put the configuration in force')
    .description(
      'Shows what would change, asks, and puts the configuration in force, unless somebody else changed it meanwhile.',
    )
    .option('-f, --file <file>', 'the configuration', 'lockstep.yaml')
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      helpText({
        examples: [
          ['lockstep apply --yes -o json', 'for scripts: does not ask, prints the new version'],
        ],
        exits: { usage: 'not valid; each mistake with its line and column' },
      }),
    )
    .action(action(apply));

async function apply({ output, api }: Session, { file, yes }: Options): Promise<Exit> {
  const lockstep = await api();
  const { document, plan } = await planFile(lockstep, file);
  if (plan.differences.length === 0) {
    output.show({ version: plan.version, differences: [] }, () => planLines(output, plan));
    return 'done';
  }
  for (const line of planLines(output, plan)) output.line(line);
  if (!yes) await confirm();
  const { version } = await lockstep.send<{ version: number }>('POST', ['configuration', 'apply'], {
    body: { document, version: plan.version },
  });
  output.show({ version, differences: plan.differences }, () => [
    `Configuration ${version} is in force.`,
    'Next: lockstep doctor',
  ]);
  return 'done';
}

async function confirm(): Promise<void> {
  if (!process.stdin.isTTY)
    throw usage('Nobody is there to be asked. Look at "lockstep plan", then apply with --yes.');
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  // Ctrl-C and Ctrl-D close it without an answer.
  const closed = new AbortController();
  asking.once('close', () => closed.abort());
  const answer = await asking.question('Apply? [y/N] ', { signal: closed.signal }).catch(() => '');
  asking.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw new Failure('Nothing was changed.');
}
