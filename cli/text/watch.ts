import { hasEnded } from '../../model/change/change';
import type { Api } from '../http/api';
import { follow, lastOf } from '../http/follow';
import type { Change } from '../http/shapes';
import type { Output } from '../output';
import type { Session } from '../session';
import { rowText } from './change-text';

/**
 * Shows how each account of a change moves, until the change has ended or somebody presses Ctrl-C.
 * @returns the last state that was seen
 */
export async function watch(session: Session, api: Api, change: Change): Promise<Change> {
  if (hasEnded(change.state)) return change;
  const { output } = session;
  const changes = follow(api, change.id, {
    signal: session.interrupted(),
    interrupted: (says) => output.note(`${says} Trying again.`),
  });
  return (await shown(output, changes)) ?? change;
}

async function shown(output: Output, changes: AsyncIterable<Change>): Promise<Change | null> {
  if (output.json) return lastOf(changes);
  if (!output.terminal) return lastOf(changes, appendMoves(output.line));
  // Loaded only here, with the library that it needs.
  const { showRows } = require('./live-rows') as typeof import('./live-rows');
  return showRows(output.width, changes);
}

/** A line for each account that moved since the state before. */
function appendMoves(line: (text: string) => void): (change: Change) => void {
  const seen = new Map<string, string>();
  return ({ accounts }) => {
    const now = new Date();
    const text = rowText(accounts, Number.POSITIVE_INFINITY, now.getTime());
    for (const account of accounts) {
      const { label, outcome, attempts, reason } = account;
      const position = `${outcome} ${attempts} ${reason}`;
      if (seen.get(label) === position) continue;
      seen.set(label, position);
      line(`${now.toTimeString().slice(0, 8)}  ${text(account)}`);
    }
  };
}
