import { createInterface } from 'node:readline/promises';
import { Command } from 'commander';
import { planFile, planLines } from '../configuration/preview';
import type { Exit } from '../exit-codes';
import { Failure, usage } from '../failure';
import { helpText } from '../help-text';
import type { ConfigurationApplied } from '../http/answers';
import { action, type Session } from '../session';

interface Options {
  readonly file: string;
  readonly yes?: true;
}

export const applyCommand = (): Command =>
  new Command('apply')
    .summary('apply a configuration')
    .description(
      'Shows what would change, asks for confirmation and applies the configuration. Nothing is applied if another operator has ' +
        'applied a configuration in the meantime.',
    )
    .option('-f, --file <file>', 'path of the configuration', 'lockstep.yaml')
    .option('--yes', 'apply without asking for confirmation')
    .addHelpText(
      'after',
      helpText({
        examples: [
          [
            'lockstep apply --yes -o json',
            'applies from a script: no question, and the new version as JSON',
          ],
        ],
        exits: {
          usage: 'the configuration is not valid; every error is shown with its line and column',
        },
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
  const { version } = await lockstep.send<ConfigurationApplied>(
    'POST',
    ['configuration', 'apply'],
    {
      body: { document, version: plan.version },
    },
  );
  output.show({ version, differences: plan.differences }, () => [
    `Configuration ${version} is applied.`,
    'Next: lockstep doctor',
  ]);
  return 'done';
}

async function confirm(): Promise<void> {
  if (!process.stdin.isTTY)
    throw usage(
      'There is no terminal to ask for confirmation. Check the result of "lockstep plan", then run "lockstep apply --yes".',
    );
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  // Ctrl-C and Ctrl-D close the question without an answer.
  const closed = new AbortController();
  asking.once('close', () => closed.abort());
  const answer = await asking.question('Apply? [y/N] ', { signal: closed.signal }).catch(() => '');
  asking.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw new Failure('Nothing was changed.');
}
