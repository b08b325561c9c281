import { Command } from 'commander';
import { errors } from '../../model/errors';
import type { Exit } from '../exit-codes';
import { Failure } from '../failure';
import { helpText } from '../help-text';
import { isRefused, runJob } from '../http/jobs';
import { knownSources } from '../http/known-sources';
import type { Refresh, Sample } from '../http/shapes';
import { action, type Session } from '../session';
import { seconds } from '../values';

interface Options {
  readonly preview?: true;
  readonly wait: number;
}

export const refreshCommand = (): Command =>
  new Command('refresh')
    .summary('link the accounts of a source to people')
    .description(
      'Reads every account of a source and links it to the person whom the correlation rules of the source name. An ' +
        'account that fits several people is linked to nobody and told.',
    )
    .argument('<source>', 'the source')
    .option('--preview', 'link nothing, only tell')
    .option('--wait <seconds>', 'how long to wait for it', seconds, 300)
    .addHelpText(
      'after',
      helpText({
        examples: [['lockstep refresh corp-directory --preview', 'tells who would be linked']],
        exits: { pending: 'not finished within --wait; it goes on' },
      }),
    )
    .action(action(refresh));

async function refresh(
  { output, api }: Session,
  source: string,
  { preview, wait }: Options,
): Promise<Exit> {
  const lockstep = await api();
  await knownSources(lockstep, [source]);
  const result = await runJob<Refresh>(lockstep, {
    source,
    verb: 'refresh',
    body: { preview: preview === true },
    waitSeconds: wait,
  });
  if (result === null)
    throw new Failure(
      `Not finished within ${wait} s. It goes on; if no worker runs, "lockstep doctor ${source}" says so.`,
      { exit: 'pending' },
    );
  if (isRefused(result)) throw new Failure(errors[result.code].says);
  output.show(result, () => refreshLines(source, result));
  return result.failed === null ? 'done' : 'failed';
}

function refreshLines(source: string, result: Refresh): string[] {
  const { preview, read, linked, alreadyLinked, peopleAdded, unmatched, ambiguous } = result;
  const would = preview ? 'would be ' : '';
  return [
    `${source}: ${read} accounts read`,
    `  ${alreadyLinked} were linked before, ${linked} ${would}linked, ${peopleAdded} of them to people who ${preview ? 'would be' : 'were'} added`,
    ...sampleLines(unmatched, 'fit nobody'),
    ...sampleLines(ambiguous, 'fit several people, or share one, and are left alone'),
    ...(result.failed === null
      ? []
      : [`It ended early: ${errors[result.failed].says}`, `Next: lockstep doctor ${source}`]),
  ];
}

const sampleLines = ({ count, first }: Sample, what: string): string[] =>
  count === 0
    ? []
    : [
        `  ${count} ${what}:`,
        ...first.map((name) => `      ${name}`),
        ...(count > first.length ? [`      … and ${count - first.length} more`] : []),
      ];
