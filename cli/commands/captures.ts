import { Command, InvalidArgumentError } from 'commander';
import type { Exit } from '../exit-codes';
import { helpText } from '../help-text';
import type { Captures, Relays } from '../http/answers';
import { action, type Session } from '../session';
import { captureLines, sourceCaptureLines } from '../text/captures-text';
import { parseSpan } from '../text/times';
import { moment } from '../values';

export const capturesCommand = (): Command =>
  new Command('captures')
    .summary('show, stop, start and rewind captures from all relays')
    .description(
      'Shows the state of every relay (last contact, waiting captures and their age, losses, servers without a relay), and ' +
        'controls whether Lockstep accepts the passwords that relays capture. It works from anywhere, through the API. To ' +
        'install or run a relay on the machine of a source, use "lockstep relay". To remove a relay, revoke its key with ' +
        '"lockstep keys revoke".',
    )
    .addCommand(listCommand(), { isDefault: true })
    .addCommand(
      turnCommand(
        'stop',
        'stop accepting captures',
        'Stops accepting captures until you run "lockstep captures start". Relays keep their captures, sealed, up to the age ' +
          'limit of changes; other clients get an answer that asks them to send their captures again later.',
      ),
    )
    .addCommand(
      turnCommand(
        'start',
        'accept captures again',
        'Accepts captures again. The captures kept since the stop come first, the oldest of them first.',
      ),
    )
    .addCommand(startpointCommand());

const listCommand = (): Command =>
  new Command('list')
    .summary('show relays and servers without a relay (the default command)')
    .description(
      'Shows every relay, stopped sources, startpoints, and every problem with what to do about it.',
    )
    .addHelpText(
      'after',
      helpText({
        examples: [
          [
            'lockstep captures',
            'shows whether every relay is in contact and delivers its captures',
          ],
        ],
      }),
    )
    .action(action(list));

async function list({ output, api }: Session): Promise<Exit> {
  const lockstep = await api();
  const [{ relays }, { sources }] = await Promise.all([
    lockstep.get<Relays>(['relays']),
    lockstep.get<Captures>(['captures']),
  ]);
  output.show({ relays, sources }, () => captureLines(output, relays, sources, Date.now()));
  return 'done';
}

const turnCommand = (verb: 'stop' | 'start', summary: string, description: string): Command =>
  new Command(verb)
    .summary(summary)
    .description(description)
    .argument('[source]', 'name of a source; default: every source with captures enabled')
    .addHelpText(
      'after',
      helpText({
        examples: [
          [
            `lockstep captures ${verb} directory`,
            `${verb === 'stop' ? 'stops' : 'starts'} accepting captures from directory`,
          ],
        ],
      }),
    )
    .action(
      action((session: Session, source?: string) =>
        send(session, verb, source === undefined ? {} : { source }),
      ),
    );

const startpointCommand = (): Command =>
  new Command('set-startpoint')
    .summary('set the point from which captures count')
    .description(
      'Sets the startpoint of a source. Lockstep ignores passwords captured before it. A relay that reads a changelog or an ' +
        'outbox moves there within 15 seconds, forwards or backwards. Entries that it reads again are recognised and never ' +
        'overwrite a newer password.',
    )
    .argument(
      '<where>',
      '"begin" (everything that the source still has), "end" (from now on), a time such as 2026-01-31T12:00:00Z, an age such as 12h, or "cursor:<cursor>" (after this entry of one source: "sequence" of its relay in "lockstep captures -o json")',
      startpoint,
    )
    .argument('[source]', 'name of a source; default: every source with captures enabled')
    .addHelpText(
      'after',
      helpText({
        examples: [
          [
            'lockstep captures set-startpoint end',
            'ignores everything so far, for example before the first bulk load of a directory',
          ],
          [
            'lockstep captures set-startpoint 12h directory',
            'reads the entries of the last 12 hours in directory again',
          ],
        ],
      }),
    )
    .action(
      action((session: Session, where: Where, source?: string) =>
        send(session, 'startpoint', { ...where, ...(source === undefined ? {} : { source }) }),
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
    throw new InvalidArgumentError(
      'Give begin, end, cursor:<cursor>, an age such as 12h, or a time such as 2026-01-31T12:00:00Z.',
    );
  return { from: 'time', at: moment(text).toISOString() };
}

async function send({ output, api }: Session, what: string, body: object): Promise<Exit> {
  const lockstep = await api();
  const answer = await lockstep.send<Captures>('POST', ['captures', what], {
    body,
    missing:
      'This source does not exist, or its captures are not enabled. "lockstep sources" lists the sources; capture.enabled in the configuration enables captures.',
  });
  const { sources } = answer;
  output.show({ sources }, () =>
    sources.length === 0
      ? [
          'Captures are not enabled for any source: set capture.enabled for one in the configuration, then run "lockstep apply".',
        ]
      : sourceCaptureLines(sources, Date.now()),
  );
  return 'done';
}
