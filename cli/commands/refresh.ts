import { Command } from 'commander';
import type { AccountReport, Refresh, Sample } from '../../model/api/job-results';
import { errors } from '../../model/errors';
import type { Exit } from '../exit-codes';
import { Failure } from '../failure';
import { helpText } from '../help-text';
import { isRefused, runJob } from '../http/jobs';
import { knownSources } from '../http/known-sources';
import { action, type Session } from '../session';
import { progressText } from '../text/source-text';
import { seconds } from '../values';

interface Options {
  readonly preview?: true;
  readonly wait: number;
}

export const refreshCommand = (): Command =>
  new Command('refresh')
    .summary('link the accounts of a source to people')
    .description(
      'Reads every account of a source and links it to the person that the correlation rules of the source find. An account ' +
        'that matches several people is not linked, but reported.',
    )
    .argument('<source>', 'name of the source')
    .option('--preview', 'show what would be linked, without linking anything')
    .option('--wait <seconds>', 'how long to wait until the refresh is finished', seconds, 300)
    .addHelpText(
      'after',
      helpText({
        examples: [
          [
            'lockstep refresh corp-directory --preview',
            'shows how many accounts would be linked, and which would not',
          ],
        ],
        exits: { pending: 'not finished within --wait; the refresh continues' },
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
    onProgress: (progress) => output.note(`${source}: ${progressText(progress)}`),
  });
  if (result === null)
    throw new Failure(
      `The refresh is not finished after ${wait} s and continues. Next: "lockstep doctor ${source}" checks whether a worker is running.`,
      { exit: 'pending' },
    );
  if (isRefused(result)) throw new Failure(errors[result.code].says);
  output.show(result, () => refreshLines(source, result));
  return result.failed === null ? 'done' : 'failed';
}

const NONE: Sample = { count: 0, first: [] };

function refreshLines(source: string, result: Refresh): string[] {
  const { preview, read, linked, alreadyLinked, unmatched, ambiguous } = result;
  // A worker of the release before reports no new attributes and no leavers.
  const { peopleAdded, peopleUpdated = 0, leavers = NONE, unlinked = NONE } = result;
  const would = preview ? 'would be ' : '';
  return [
    `${source}: ${read} accounts read`,
    `  ${alreadyLinked} already linked, ${linked} ${would}linked now, ${peopleAdded} of these to people who ${preview ? 'would be' : 'were'} added`,
    ...(peopleUpdated === 0
      ? []
      : [
          `  ${peopleUpdated === 1 ? '1 person' : `${peopleUpdated} people`} ${preview ? 'would get' : 'got'} new attributes`,
        ]),
    ...sampleLines(leavers, 'people have left: they have no account in this auth source any more'),
    ...sampleLines(
      unlinked,
      `accounts ${preview ? 'would be' : 'were'} unlinked, because they were missing for too long`,
    ),
    ...(result.suspicious ? suspiciousLines(source) : []),
    ...sampleLines(unmatched, 'match no person'),
    ...sampleLines(ambiguous, 'match several people, or the same person, and are not linked'),
    ...sampleLines(
      result.unreadable,
      'have no name, or text that cannot be stored, and are skipped',
    ),
    ...result.reports.flatMap(reportLines),
    ...(result.failed === null
      ? []
      : [
          `The list is partial, so nothing was linked. The refresh ended early: ${errors[result.failed].says}`,
          `Next: lockstep doctor ${source}`,
        ]),
  ];
}

const suspiciousLines = (source: string): string[] => [
  '  Too many linked accounts are missing at once, so the list is probably wrong. Nothing was unlinked.',
  `  Next: "lockstep doctor ${source}". If the accounts were deleted, raise leavers.maxLostPercent of the source.`,
];

const reportLines = ({ says, count, first }: AccountReport): string[] => [
  `  ${count} ${says}`,
  ...namesOf({
    count,
    first: first.map(
      ({ name, now, person }) =>
        `${name}${now === null ? '' : ` → ${now}`}${person === null ? '' : ` (${person})`}`,
    ),
  }),
];

const sampleLines = (sample: Sample, what: string): string[] =>
  sample.count === 0 ? [] : [`  ${sample.count} ${what}:`, ...namesOf(sample)];

const namesOf = ({ count, first }: Sample): string[] => [
  ...first.map((name) => `      ${name}`),
  ...(count > first.length ? [`      … and ${count - first.length} more`] : []),
];
