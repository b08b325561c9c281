import { Command } from 'commander';
import type { Exit } from '../exit-codes';
import { helpText } from '../help-text';
import type { Source, SourceCommandAccepted, SourceHistories, Waiting } from '../http/answers';
import { knownSources } from '../http/known-sources';
import { action, type Session } from '../session';
import { historyLines } from '../text/history-text';
import { sourceLines, waitingLines } from '../text/source-text';
import { count, momentOrSpan } from '../values';
import { kindsCommand, tryCommand } from './sources-connect';

export const sourcesCommand = (): Command =>
  new Command('sources')
    .summary('show, pause and resume sources')
    .description(
      'Shows whether each source is available and how many accounts wait for it, and controls sources. Lockstep probes a source ' +
        'that is down at intervals, and its waiting accounts continue once it answers. It pauses a source that refuses its ' +
        'service account until you run "lockstep sources resume".',
    )
    .addCommand(listCommand(), { isDefault: true })
    .addCommand(pauseCommand())
    .addCommand(resumeCommand())
    .addCommand(
      waitingCommand(
        'retry',
        'retry all waiting and parked accounts of a source',
        'Retries all waiting and parked accounts of a source. If the source is down, one of them probes it first. A paused source needs "lockstep sources resume" instead.',
      ),
    )
    .addCommand(waitingListCommand())
    .addCommand(kindsCommand())
    .addCommand(tryCommand())
    .addCommand(historyCommand())
    .addCommand(
      waitingCommand(
        'park',
        'stop retrying all waiting accounts of a source',
        'Stops retrying all waiting accounts of a source until "lockstep sources retry" or until their changes expire.',
      ),
    )
    .addCommand(
      waitingCommand(
        'cancel',
        'cancel all waiting and parked accounts of a source',
        'Cancels all waiting and parked accounts of a source. They keep their password, and their changes end without them.',
      ),
    );

const listCommand = (): Command =>
  new Command('list')
    .summary('list sources (the default command)')
    .description(
      'Lists sources with their state, waiting and parked accounts, and the time of the next attempt.',
    )
    .addHelpText(
      'after',
      helpText({ examples: [['lockstep sources', 'shows which sources are up, down or paused']] }),
    )
    .action(action(list));

async function list({ output, api }: Session): Promise<Exit> {
  const sources = await knownSources(await api(), []);
  output.show({ sources }, () => sourceLines(output, sources, Date.now()));
  return 'done';
}

const pauseCommand = (): Command =>
  new Command('pause')
    .summary('stop all requests to a source')
    .description(
      'Stops all requests to a source until you resume it, or until a time that you give. Its accounts wait. A pause replaces an earlier one. Recurring maintenance windows are settings of the source.',
    )
    .argument('<source>', 'name of the source')
    .option('--until <time>', 'when the pause ends by itself: a time, or a duration', momentOrSpan)
    .addHelpText(
      'after',
      helpText({
        examples: [
          ['lockstep sources pause apps', 'pauses the source apps'],
          ['lockstep sources pause apps --until 30min', 'pauses it for half an hour'],
          ['lockstep sources pause apps --until 2030-01-31T04:00:00Z', 'pauses it until that time'],
        ],
      }),
    )
    .action(
      action((session: Session, name: string, { until }: { readonly until?: Date }) =>
        changeState(session, name, 'pause', until && { until: until.toISOString() }),
      ),
    );

const resumeCommand = (): Command =>
  new Command('resume')
    .summary('resume a paused source')
    .description(
      'Resumes a paused source. Its waiting accounts continue, a few at a time. A source that is down is not paused: it is only probed at once.',
    )
    .argument('<source>', 'name of the source')
    .addHelpText(
      'after',
      helpText({ examples: [['lockstep sources resume apps', 'resumes the source apps']] }),
    )
    .action(action((session: Session, name: string) => changeState(session, name, 'resume')));

async function changeState(
  { output, api }: Session,
  name: string,
  verb: 'pause' | 'resume',
  body?: { readonly until: string },
): Promise<Exit> {
  const lockstep = await api();
  await knownSources(lockstep, [name]);
  const source = await lockstep.send<Source>('POST', ['sources', name, verb], body && { body });
  output.show(source, () => sourceLines(output, [source], Date.now()));
  return 'done';
}

const waitingListCommand = (): Command =>
  new Command('waiting')
    .summary('show what waits for a source, by reason')
    .description(
      'Shows how many accounts wait for a source or are parked there, why, and how old the oldest of their changes is.',
    )
    .argument('<source>', 'name of the source')
    .addHelpText(
      'after',
      helpText({ examples: [['lockstep sources waiting apps', 'shows what waits for apps']] }),
    )
    .action(
      action(async ({ output, api }: Session, name: string): Promise<Exit> => {
        const lockstep = await api();
        await knownSources(lockstep, [name]);
        const waiting = await lockstep.send<Waiting>('GET', ['sources', name, 'waiting']);
        output.show(waiting, () => waitingLines(output, name, waiting, Date.now()));
        return 'done';
      }),
    );

const historyCommand = (): Command =>
  new Command('history')
    .summary('show the last 24 hours of sources')
    .description(
      'Shows when each source was down or paused in the last 24 hours, how many accounts waited for it, and whether all of them were written since. With the name of a source it also shows each half hour.',
    )
    .argument('[source]', 'name of the source; all sources without it')
    .addHelpText(
      'after',
      helpText({
        examples: [
          ['lockstep sources history', 'shows the outages of every source'],
          ['lockstep sources history apps', 'shows each half hour of apps, too'],
        ],
      }),
    )
    .action(
      action(async ({ output, api }: Session, name: string | undefined): Promise<Exit> => {
        const lockstep = await api();
        if (name !== undefined) await knownSources(lockstep, [name]);
        const query = name === undefined ? {} : { source: name };
        const history = await lockstep.get<SourceHistories>(['source-history'], { query });
        output.show(history, () => historyLines(output, history, name !== undefined));
        return 'done';
      }),
    );

type WaitingVerb = 'retry' | 'park' | 'cancel';

const waitingCommand = (verb: WaitingVerb, summary: string, description: string): Command =>
  new Command(verb)
    .summary(summary)
    .description(description)
    .argument('<source>', 'name of the source')
    .option(
      '--per-second <n>',
      'maximum number of accounts per second, oldest changes first',
      count,
      20,
    )
    .option('--reason <code>', 'only the accounts that wait, or are parked, for this reason')
    .addHelpText(
      'after',
      helpText({
        examples: [
          [`lockstep sources ${verb} apps --per-second 5`, 'handles at most 5 accounts per second'],
          [
            `lockstep sources ${verb} apps --reason account_locked`,
            'leaves accounts that wait for another reason as they are',
          ],
        ],
      }),
    )
    .action(
      action(
        async (
          { output, api }: Session,
          name: string,
          { perSecond, reason }: { readonly perSecond: number; readonly reason?: string },
        ): Promise<Exit> => {
          const lockstep = await api();
          await knownSources(lockstep, [name]);
          const answer = await lockstep.send<SourceCommandAccepted>(
            'POST',
            ['sources', name, verb],
            {
              body: { perSecond, reason },
            },
          );
          output.show(answer, () => [
            `Requested to ${verb} ${answer.accounts === 1 ? '1 account' : `${answer.accounts} accounts`} in ${name}, at most ${perSecond} per second.`,
            'Next: lockstep sources',
          ]);
          return 'done';
        },
      ),
    );
