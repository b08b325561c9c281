import { Listr, type ListrTask } from 'listr2';
import { isSettled, type OutcomeState } from '../../model/change/outcome';
import type { Change } from '../http/answers';
import { rowText, stalledText } from './change-text';

const TICK_MS = 1_000;
/** Columns of the icon and the gap before a row. */
const MARGIN = 4;

/** Shows a row for each account and updates it in place. @returns the last state of the change; null if there was none */
export async function showRows(
  width: number,
  changes: AsyncIterable<Change>,
): Promise<Change | null> {
  const planning = createRow('accepted, not started');
  const rows = new Map<string, Row>();
  let last: Change | null = null;
  let rendering = show([planning]);
  const updateTexts = () => {
    const text = rowText(last?.accounts ?? [], width - MARGIN, Date.now());
    for (const account of last?.accounts ?? []) rows.get(account.label)?.setText(text(account));
  };
  const ticker = setInterval(updateTexts, TICK_MS);
  try {
    for await (const change of changes) {
      last = change;
      if (change.waitingFor !== null) planning.setText(stalledText[change.waitingFor]);
      if (rows.size === 0 && change.accounts.length > 0) {
        planning.setText('accepted');
        planning.end('applied');
        await rendering;
        for (const { label } of change.accounts) rows.set(label, createRow(label));
        rendering = show([...rows.values()]);
      }
      updateTexts();
      for (const { label, outcome } of change.accounts)
        if (isSettled(outcome)) rows.get(label)?.end(outcome);
    }
    return last;
  } finally {
    clearInterval(ticker);
    for (const row of [planning, ...rows.values()]) row.end('pending');
    await rendering;
  }
}

interface Row {
  readonly task: ListrTask;
  setText(text: string): void;
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
    setText(next) {
      text = next;
      // Setting the title after the list has ended would draw it again.
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
