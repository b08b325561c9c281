import { Command, Option } from 'commander';
import { type ChangeState, changeStates } from '../../model/change/change';
import { span } from '../../model/span';
import type { Exit } from '../exit-codes';
import { helpText } from '../help-text';
import type { ChangeSummary } from '../http/answers';
import { requirePerson } from '../http/ids';
import { readPages } from '../http/pages';
import { allOption, cursorOption, limitOption, noteNextPage, type Paging } from '../paging';
import { action, type Session } from '../session';
import { markOfState } from '../text/change-text';
import { type Cell, table } from '../text/table';
import { relative } from '../text/times';

interface Options extends Paging {
  readonly state?: ChangeState;
  readonly identity?: string;
  readonly source?: string;
  readonly reason?: string;
}

export const changesCommand = (): Command =>
  new Command('changes')
    .summary('list changes, newest first')
    .description('Lists changes, newest first.')
    .addOption(
      new Option('--state <state>', 'only changes in this state').choices(
        Object.keys(changeStates),
      ),
    )
    .option('--identity <name>', 'only changes of this person; upper and lower case do not matter')
    .option('--source <source>', 'only changes with an account in this source')
    .option(
      '--reason <code>',
      'only changes with an account that waits, or is parked, for this reason',
    )
    .addOption(limitOption(20))
    .addOption(cursorOption())
    .addOption(allOption())
    .addHelpText(
      'after',
      helpText({
        examples: [
          ['lockstep changes --state waiting', 'lists changes that wait for a source'],
          ['lockstep changes --identity alice --limit 5', 'lists the last five changes of alice'],
        ],
      }),
    )
    .action(action(changes));

async function changes(session: Session, options: Options): Promise<Exit> {
  const { output } = session;
  const { all, ...query } = options;
  const api = await session.api();
  const { items, next } = await readPages<'changes', ChangeSummary>(api, 'changes', { query, all });
  if (items.length === 0 && query.identity !== undefined) await requirePerson(api, query.identity);
  const now = Date.now();
  output.show({ changes: items, next }, () =>
    items.length === 0
      ? ['No change matches.']
      : table(
          output,
          columns,
          items.map((item) => row(item, now)),
        ),
  );
  noteNextPage(output, 'changes', next);
  return 'done';
}

const columns = [
  { title: '' },
  { title: 'CHANGE' },
  { title: 'PERSON', cut: 'first' },
  { title: 'STATE' },
  { title: 'APPLIED' },
  { title: 'STARTED' },
  { title: 'TOOK' },
] as const;

function row(change: ChangeSummary, now: number): Cell[] {
  const { id, identity, state, accounts, applied, signInsPrevented, createdAt, endedAt } = change;
  const [text, style] = markOfState(state, signInsPrevented);
  const prevented = signInsPrevented > 0 ? `, ${signInsPrevented} without sign-in` : '';
  const took = endedAt === null ? '' : span(Date.parse(endedAt) - Date.parse(createdAt));
  return [
    { text, style },
    id,
    identity,
    state,
    `${applied} of ${accounts}${prevented}`,
    relative(createdAt, now),
    took,
  ];
}
