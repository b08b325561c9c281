import { Listr, type ListrTask } from 'listr2';
import { isSettled, type OutcomeState } from '../../model/change/outcome';
import type { Change } from '../http/shapes';
import { rowText, standstills } from './change-text';

const TICK_MS = 1_000;
/** The icon and the gap before a row. */
const MARGIN = 4;

/** A row for each account, which moves where it is. @returns the last state that was seen; null for none */
export async function showRows(
  width: number,
  changes: AsyncIterable<Change>,
): Promise<Change | null> {
  const beginning = createRow('accepted, not begun');
  const rows = new Map<string, Row>();
  let last: Change | null = null;
  let shown = show([beginning]);
  const texts = () => {
    const text = rowText(last?.accounts ?? [], width - MARGIN, Date.now());
    for (const account of last?.accounts ?? []) rows.get(account.label)?.say(text(account));
  };
  const ticking = setInterval(texts, TICK_MS);
  try {
    for await (const change of changes) {
      last = change;
      if (change.waitingFor !== null) beginning.say(standstills[change.waitingFor]);
      if (rows.size === 0 && change.accounts.length > 0) {
        beginning.say('accepted');
        beginning.end('applied');
        await shown;
        for (const { label } of change.accounts) rows.set(label, createRow(label));
        shown = show([...rows.values()]);
      }
      texts();
      for (const { label, outcome } of change.accounts)
        if (isSettled(outcome)) rows.get(label)?.end(outcome);
    }
    return last;
  } finally {
    clearInterval(ticking);
    for (const row of [beginning, ...rows.values()]) row.end('pending');
    await shown;
  }
}

interface Row {
  readonly task: ListrTask;
  say(text: string): void;
  end(outcome: OutcomeState): void;
}

type Wrapper = Parameters<ListrTask['task']>[1];

function createRow(first: string): Row {
  let text = first;
  let wrapper: Wrapper | null = null;
  let over = false;
  let end: (outcome: OutcomeState) => void = () => {};
  const ended = new Promise<OutcomeState>((resolve) => {
    end = resolve;
  });
  return {
    say(next) {
      text = next;
      // What is said after the list has ended would draw it again.
      if (wrapper !== null && !over) wrapper.title = text;
    },
    end(outcome) {
      over = true;
      end(outcome);
    },
    task: {
      title: first,
      task: async (_context, task) => {
        wrapper = task;
        task.title = text;
        const outcome = await ended;
        if (failures.has(outcome)) throw new Error(outcome);
        if (outcome !== 'applied') task.skip(text);
      },
    },
  };
}

const failures: ReadonlySet<OutcomeState> = new Set(['rejected', 'expired']);

const show = (rows: readonly Row[]): Promise<unknown> =>
  new Listr(
    rows.map(({ task }) => task),
    {
      concurrent: true,
      exitOnError: false,
      registerSignalListeners: false,
      rendererOptions: { showErrorMessage: false, suffixSkips: false, formatOutput: 'truncate' },
    },
  ).run();
