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
    .summary('try a connector before people depend on it')
    .addCommand(testCommand());

const testCommand = (): Command =>
  new Command('test')
    .summary('try a source with an account that nobody misses')
    .description(
      'Tries whether a source keeps the contract of connectors: the promises about passwords, repeats, proofs, ' +
        'missing accounts, many at once and being cut short. It runs here, without api and worker: the source is reached ' +
        'from this machine, with your rights.\n\n' +
        'It sets the password of the account many times, at last to one that nobody knows, and tries wrong ones. Take an ' +
        'account that is there for this alone.',
    )
    .argument('<source>', 'its name in the configuration')
    .requiredOption('--account <name>', 'the account to try it with, as the source calls it')
    .option('--native-id <id>', 'its native id, where the source has one')
    .option(
      '--find <attribute=value>',
      'what the account is found by, and no other',
      attributeAndValue,
    )
    .option('-f, --file <file>', 'the configuration', 'lockstep.yaml')
    .addHelpText(
      'after',
      helpText({
        examples: [
          [
            'lockstep connector test wiki --account throwaway --find name=throwaway',
            'a line for each promise, and what to do about those that are not kept',
          ],
        ],
        exits: { done: 'every promise that was tried is kept', failed: 'some are not' },
      }),
    )
    .action(action(test));

/** Loaded only here, with the YAML parser that it needs. */
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
          `There is no source "${source}" in ${options.file}; there are: ${message.known.join(', ') || 'none'}.`,
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
      'The connector broke off. Look at its settings, and at what it needs to run.',
    );
  const count = (verdict: CaseResult['verdict']) =>
    results.filter((result) => result.verdict === verdict).length;
  const wrong = count('wrong');
  output.show({ ok: wrong === 0, cases: results }, () => [
    '',
    `${count('ok')} kept, ${wrong} not, ${count('skipped')} not tried.`,
  ]);
  return wrong === 0 ? 'done' : 'failed';
}
