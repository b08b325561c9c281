import { Command, InvalidArgumentError } from 'commander';
import type { Exit } from '../exit-codes';
import { helpText } from '../help-text';
import type { Relay, SourceCaptures } from '../http/shapes';
import { action, type Session } from '../session';
import { captureLines, sourceCaptureLines } from '../text/captures-text';
import { parseSpan } from '../text/times';
import { moment } from '../values';

export const capturesCommand = (): Command =>
  new Command('captures')
    .summary('see how captures come in; stop, start and rewind them')
    .description(
      'Relays: when each was heard last, what waits beside its source and how old it is, what was lost, and which servers of ' +
        'a source have none. Revoke the key of a relay with "lockstep keys revoke" to be rid of it.',
    )
    .addCommand(listCommand(), { isDefault: true })
    .addCommand(
      turnCommand(
        'stop',
        'take no captures in for a while',
        'Takes no captures in until you start them again. Relays keep what comes, sealed, up to the age limit of changes; whoever ' +
          'sends captures is told to send them again.',
      ),
    )
    .addCommand(
      turnCommand(
        'start',
        'take captures in again',
        'Takes captures in again: first what was kept meanwhile, the oldest first.',
      ),
    )
    .addCommand(startpointCommand());

const listCommand = (): Command =>
  new Command('list')
    .summary('see relays and servers (also without "list")')
    .description('Shows every relay, what an operator said of its source, and what is wrong.')
    .addHelpText(
      'after',
      helpText({ examples: [['lockstep captures', 'whether every relay is heard, and delivers']] }),
    )
    .action(action(list));

async function list({ output, api }: Session): Promise<Exit> {
  const lockstep = await api();
  const [{ relays }, { sources }] = await Promise.all([
    lockstep.get<{ relays: Relay[] }>(['relays']),
    lockstep.get<{ sources: SourceCaptures[] }>(['captures']),
  ]);
  output.show({ relays, sources }, () => captureLines(output, relays, sources, Date.now()));
  return 'done';
}

const turnCommand = (verb: 'stop' | 'start', summary: string, description: string): Command =>
  new Command(verb)
    .summary(summary)
    .description(description)
    .argument('[source]', 'the source; every one that takes captures when left out')
    .addHelpText(
      'after',
      helpText({ examples: [[`lockstep captures ${verb} directory`, summary]] }),
    )
    .action(
      action((session: Session, source?: string) =>
        say(session, verb, source === undefined ? {} : { source }),
      ),
    );

const startpointCommand = (): Command =>
  new Command('set-startpoint')
    .summary('say from where on passwords are captured')
    .description(
      'What was captured before the startpoint does not count. A relay that reads its source (a changelog, an outbox) goes there ' +
        'within a quarter of a minute, also back: what it reads again is known again, and never overwrites a newer password.',
    )
    .argument(
      '<where>',
      '"begin": all that the source still knows; "end": from now on; a time such as 2026-01-31T12:00:00Z, or 12h ago; "cursor:…": after that change ("sequence" of a relay in -o json), of one source',
      startpoint,
    )
    .argument('[source]', 'the source; every one that takes captures when left out')
    .addHelpText(
      'after',
      helpText({
        examples: [
          ['lockstep captures set-startpoint end', 'before the first load of a directory'],
          ['lockstep captures set-startpoint 12h directory', 'what happened since last night'],
        ],
      }),
    )
    .action(
      action((session: Session, where: Where, source?: string) =>
        say(session, 'startpoint', { ...where, ...(source === undefined ? {} : { source }) }),
      ),
    );

type Where =
  | { readonly from: 'begin' | 'end' }
  | { readonly from: 'cursor'; readonly cursor: string }
  | { readonly from: 'time'; readonly at: string };

function startpoint(text: string): Where {
  if (text === 'begin' || text === 'end') return { from: text };
  const [, cursor] = /^cursor:([!-~]{1,255})$/.exec(text) ?? [];
  if (cursor !== undefined) return { from: 'cursor', cursor };
  const ago = parseSpan(text);
  if (ago !== null) return { from: 'time', at: new Date(Date.now() - ago).toISOString() };
  if (!/^\d{4}-/.test(text))
    throw new InvalidArgumentError('Give begin, end, cursor:…, 12h, or 2026-01-31T12:00:00Z.');
  return { from: 'time', at: moment(text).toISOString() };
}

async function say({ output, api }: Session, what: string, body: object): Promise<Exit> {
  const lockstep = await api();
  const answer = await lockstep.send<{ sources: SourceCaptures[] }>('POST', ['captures', what], {
    body,
    missing: 'There is no such source, or it takes no captures. "lockstep sources" shows them.',
  });
  const { sources } = answer;
  output.show({ sources }, () =>
    sources.length === 0
      ? ['No source takes captures: set capture.enabled for one in the configuration.']
      : sourceCaptureLines(sources, Date.now()),
  );
  return 'done';
}
