import { Command } from 'commander';
import type { Exit } from '../exit-codes';
import { helpText } from '../help-text';
import { knownSources } from '../http/known-sources';
import type { Source } from '../http/shapes';
import { action, type Session } from '../session';
import { sourceLines } from '../text/source-text';
import { count } from '../values';

export const sourcesCommand = (): Command =>
  new Command('sources')
    .summary('see which sources are up, pause and resume them')
    .description(
      'Sources, whether they can be used now, and who waits for them. One that is down is asked now and then; all who wait ' +
        'follow by themselves when it answers. One that refuses the service account of Lockstep is paused until you resume it.',
    )
    .addCommand(listCommand(), { isDefault: true })
    .addCommand(
      stateCommand(
        'pause',
        'ask a source nothing',
        'Nobody asks the source until it is resumed; its accounts wait.',
      ),
    )
    .addCommand(
      stateCommand(
        'resume',
        'let a paused source go on',
        'All who wait for the source go on, a few at a time.',
      ),
    )
    .addCommand(
      waitingCommand(
        'retry',
        'try all who wait on a source',
        'Tries all accounts that wait on a source, or are parked. One that is down is asked by one of them.',
      ),
    )
    .addCommand(
      waitingCommand(
        'park',
        'try those who wait on a source no more',
        'Tries the accounts that wait on a source no more, until somebody retries them or their changes are too old.',
      ),
    )
    .addCommand(
      waitingCommand(
        'cancel',
        'leave those who wait on a source as they are',
        'Leaves all accounts that wait on a source, or are parked, as they are; their changes end without them.',
      ),
    );

const listCommand = (): Command =>
  new Command('list')
    .summary('list the sources (also without "list")')
    .description('Lists the sources: state, who waits, and when one that is down is asked again.')
    .addHelpText(
      'after',
      helpText({ examples: [['lockstep sources', 'what is up, down or paused']] }),
    )
    .action(action(list));

async function list({ output, api }: Session): Promise<Exit> {
  const sources = await knownSources(await api(), []);
  output.show({ sources }, () => sourceLines(output, sources, Date.now()));
  return 'done';
}

const stateCommand = (verb: 'pause' | 'resume', summary: string, description: string): Command =>
  new Command(verb)
    .summary(summary)
    .description(description)
    .argument('<source>', 'the source')
    .addHelpText('after', helpText({ examples: [[`lockstep sources ${verb} apps`, summary]] }))
    .action(
      action(async ({ output, api }: Session, name: string): Promise<Exit> => {
        const lockstep = await api();
        await knownSources(lockstep, [name]);
        const source = await lockstep.send<Source>('POST', ['sources', name, verb]);
        output.show(source, () => sourceLines(output, [source], Date.now()));
        return 'done';
      }),
    );

type WaitingVerb = 'retry' | 'park' | 'cancel';

const waitingCommand = (verb: WaitingVerb, summary: string, description: string): Command =>
  new Command(verb)
    .summary(summary)
    .description(description)
    .argument('<source>', 'the source')
    .option(
      '--per-second <n>',
      'so many accounts a second at most, the oldest changes first',
      count,
      20,
    )
    .addHelpText(
      'after',
      helpText({ examples: [[`lockstep sources ${verb} apps --per-second 5`, 'slowly']] }),
    )
    .action(
      action(
        async (
          { output, api }: Session,
          name: string,
          { perSecond }: { readonly perSecond: number },
        ): Promise<Exit> => {
          const lockstep = await api();
          await knownSources(lockstep, [name]);
          const asked = await lockstep.send<{ accounts: number }>('POST', ['sources', name, verb], {
            body: { perSecond },
          });
          output.show(asked, () => [
            `Asked to ${verb} ${asked.accounts === 1 ? '1 account' : `${asked.accounts} accounts`} in ${name}, ${perSecond} a second.`,
            'Next: lockstep sources',
          ]);
          return 'done';
        },
      ),
    );
