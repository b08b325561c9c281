import { hasEnded } from '../../model/change/change';
import { timeLimit } from '../../time-limit';
import type { Change } from '../http/answers';
import type { Api } from '../http/api';
import { follow, lastOf } from '../http/follow';
import type { Output } from '../output';
import type { Session } from '../session';
import { rowText } from './change-text';

/**
 * Shows the progress of each account until the change has ended, the time is over or the operator presses Ctrl-C.
 * @param waitSeconds how long to watch; without it, until the change has ended
 * @returns the last state that the API reported
 */
export async function watch(
  session: Session,
  api: Api,
  change: Change,
  waitSeconds?: number,
): Promise<Change> {
  if (hasEnded(change.state)) return change;
  const { output } = session;
  const changes = follow(api, change.id, {
    signal:
      waitSeconds === undefined
        ? session.interrupted()
        : timeLimit(waitSeconds * 1000, session.interrupted()),
    onLost: (message) => output.note(`${message} Reconnecting; the change continues.`),
  });
  return (await show(output, changes)) ?? change;
}

async function show(output: Output, changes: AsyncIterable<Change>): Promise<Change | null> {
  if (output.json) return lastOf(changes);
  if (!output.terminal) return lastOf(changes, appendProgress(output.line));
  // Loaded on demand, because it loads listr2.
  const { showRows } = require('./live-rows') as typeof import('./live-rows');
  return showRows(output.width, changes);
}

/** Prints a line for each account whose state differs from the previous one. */
function appendProgress(line: (text: string) => void): (change: Change) => void {
  const printed = new Map<string, string>();
  return ({ accounts }) => {
    const now = new Date();
    const text = rowText(accounts, Number.POSITIVE_INFINITY, now.getTime());
    for (const account of accounts) {
      const { label, outcome, attempts, reason } = account;
      const position = `${outcome} ${attempts} ${reason}`;
      if (printed.get(label) === position) continue;
      printed.set(label, position);
      line(`${now.toTimeString().slice(0, 8)}  ${text(account)}`);
    }
  };
}
