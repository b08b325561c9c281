import { setTimeout as sleep } from 'node:timers/promises';
import { Command, Option } from 'commander';
import { deliveryStates } from '../../model/notices/states';
import type { Exit } from '../exit-codes';
import { helpText } from '../help-text';
import type { Notice, NoticeTested } from '../http/answers';
import type { Api } from '../http/api';
import { readPages } from '../http/pages';
import { allOption, cursorOption, limitOption, noteNextPage, type Paging } from '../paging';
import { action, type Session } from '../session';
import { deliveryLines, noticeLines } from '../text/notices-text';
import { seconds } from '../values';

export const noticesCommand = (): Command =>
  new Command('notices')
    .summary('list notices, and test the channels that send them')
    .description(
      'Lists the notices to people and operators, and sends a test notice. The channels are in the section "notices" of the ' +
        'configuration.',
    )
    .addCommand(listCommand(), { isDefault: true })
    .addCommand(testCommand());

interface ListOptions extends Paging {
  readonly state?: string;
}

const listCommand = (): Command =>
  new Command('list')
    .summary('list notices, newest first (the default command)')
    .description(
      'Lists notices, newest first, with a row for each delivery, and the cause of each one that did not arrive.',
    )
    .addOption(
      new Option('--state <state>', 'only notices with a delivery in this state').choices([
        ...deliveryStates,
      ]),
    )
    .addOption(limitOption(20))
    .addOption(cursorOption())
    .addOption(allOption())
    .addHelpText(
      'after',
      helpText({
        examples: [
          ['lockstep notices', 'lists the newest notices'],
          ['lockstep notices list --state failed', 'lists notices that did not arrive'],
        ],
      }),
    )
    .action(action(list));

async function list({ output, api }: Session, options: ListOptions): Promise<Exit> {
  const { all, ...query } = options;
  const lockstep = await api();
  const page = await readPages<'notices', Notice>(lockstep, 'notices', { query, all });
  const { items, next } = page;
  output.show({ notices: items, next }, () => noticeLines(output, items, Date.now()));
  noteNextPage(output, 'notices', next);
  return 'done';
}

interface TestOptions {
  readonly to?: string;
  readonly wait: number;
}

const testCommand = (): Command =>
  new Command('test')
    .summary('send a test notice over a channel')
    .description(
      'Sends a test notice over a channel and shows whether it arrived. A test that arrives opens a channel again whose ' +
        'receiver was gone.',
    )
    .argument('<channel>', 'name of the channel in the configuration')
    .option('--to <address>', 'mail address that gets the test; default: those of the operators')
    .option('--wait <seconds>', 'how long to wait for the result', seconds, 30)
    .addHelpText(
      'after',
      helpText({
        examples: [['lockstep notices test mail', 'sends a test mail to the operators']],
        exits: {
          failed: 'the notice did not arrive at the first attempt, or the channel is refused',
          pending: 'no worker has sent the notice in time',
        },
      }),
    )
    .action(action(test));

async function test(
  { output, api }: Session,
  channel: string,
  { to, wait }: TestOptions,
): Promise<Exit> {
  const lockstep = await api();
  const { id } = await lockstep.send<NoticeTested>('POST', ['notices', 'test'], {
    body: { channel, to },
    missing: `There is no channel "${channel}". The section "notices" of the configuration lists them.`,
  });
  const notice = await readAttempted(lockstep, id, wait);
  output.show(notice, () => deliveryLines(output, notice, Date.now()));
  const { deliveries } = notice;
  if (!isAttempted(notice)) return 'pending';
  return deliveries.every(({ state }) => state === 'delivered') ? 'done' : 'failed';
}

const POLL_MS = 500;

/** Reads the notice until every delivery was attempted, or the wait is over. */
async function readAttempted(api: Api, id: string, waitSeconds: number): Promise<Notice> {
  const deadline = Date.now() + waitSeconds * 1000;
  for (;;) {
    const notice = await api.get<Notice>(['notices', id]);
    if (isAttempted(notice) || Date.now() >= deadline) return notice;
    await sleep(POLL_MS);
  }
}

const isAttempted = ({ state, deliveries }: Notice): boolean =>
  state !== 'new' &&
  deliveries.every((delivery) => delivery.reason !== null || delivery.state !== 'waiting');
