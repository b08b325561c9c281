import { Command } from 'commander';
import type { CaseResult, TrialJob } from '../../model/trial';
import type { Exit } from '../exit-codes';
import { Failure, usage } from '../failure';
import { helpText } from '../help-text';
import { action, type Session } from '../session';
import { caseLines } from '../text/case-text';
import { tryConnector } from '../trial';
import { attributeAndValue } from '../values';

interface TestOptions {
  readonly file: string;
  readonly account: string;
  readonly nativeId?: string;
  readonly find?: TrialJob['find'];
}

export const connectorCommand = (): Command =>
  new Command('connector')
    .summary('test a connector before people depend on it')
    .addCommand(testCommand());

const testCommand = (): Command =>
  new Command('test')
    .summary('test the connector of a source with a throwaway account')
    .description(
      'Tests whether the connector of a source keeps the contract of connectors: setting passwords, repeated writes, ' +
        'verification, missing accounts, parallel requests and interrupted requests. It runs on this machine with your ' +
        'rights, without API and worker, and connects to the source from here.\n\n' +
        'It sets the password of the account many times, at the end to a random one that is not shown, and also tries wrong ' +
        'passwords. Use an account that exists only for this test.',
    )
    .argument('<source>', 'name of the source in the configuration')
    .requiredOption('--account <name>', 'name of the test account in the source')
    .option('--native-id <id>', 'native id of the test account, if the source has native ids')
    .option(
      '--find <attribute=value>',
      'attribute and value that only the test account has',
      attributeAndValue,
    )
    .option('-f, --file <file>', 'path of the configuration', 'lockstep.yaml')
    .addHelpText(
      'after',
      helpText({
        examples: [
          [
            'lockstep connector test wiki --account throwaway --find name=throwaway',
            'prints a line for each promise, and what to do about each broken one',
          ],
        ],
        exits: { done: 'every tested promise is kept', failed: 'at least one promise is broken' },
      }),
    )
    .action(action(test));

/** Loaded on demand, because it loads the YAML parser. */
const files = () => require('../configuration/file') as typeof import('../configuration/file');

async function test({ output }: Session, source: string, options: TestOptions): Promise<Exit> {
  const file = files().readConfigurationFile(options.file);
  const results: CaseResult[] = [];
  let ended = false;
  const account = { name: options.account, nativeId: options.nativeId ?? null };
  const job = { document: file.document, source, account, find: options.find ?? null };
  for await (const message of tryConnector(job))
    switch (message.kind) {
      case 'issues':
        throw files().issuesFailure(
          options.file,
          message.issues.map((issue) => ({ ...issue, place: file.place(issue.path) })),
        );
      case 'unknown_source':
        throw usage(
          `There is no source "${source}" in ${options.file}. It has ${message.known.join(', ') || 'no source'}.`,
        );
      case 'result':
        results.push(message.result);
        for (const line of caseLines(output, message.result)) output.line(line);
        break;
      case 'ended':
        ended = true;
    }
  if (!ended)
    throw new Failure(
      'The connector ended before the test was complete. Check its settings and the programs that it needs.',
    );
  const count = (verdict: CaseResult['verdict']) =>
    results.filter((result) => result.verdict === verdict).length;
  const wrong = count('wrong');
  output.show({ ok: wrong === 0, cases: results }, () => [
    '',
    `${count('ok')} kept, ${wrong} broken, ${count('skipped')} not tested.`,
  ]);
  return wrong === 0 ? 'done' : 'failed';
}
