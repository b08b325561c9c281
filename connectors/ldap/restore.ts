import { setTimeout as sleep } from 'node:timers/promises';
import type { Entry } from 'ldapts';
import type { WriteAnswer } from '../contract';
import { idOf, type NativeIds, optionsFor, search, textOf } from './accounts';
import type { Use } from './dialect';
import type { Link } from './link';
import { change, retryOnLoss } from './requests';
import type { LockValues } from './vendors';
import { type Attempted, restoring } from './writing';

/**
 * Restores what the write cleared, also after a write without a reply, which the server may have carried out. It also
 * finds out whether a write that the server could not tie to the account has met another entry.
 */
export async function restoreAfter(
  use: Use,
  attempted: Attempted,
  ids: NativeIds,
): Promise<WriteAnswer> {
  const { answer, cleared } = attempted;
  if (answer.result !== 'applied' && answer.result !== 'ambiguous') return answer;
  let missed = false;
  const done = await retryOnLoss(use, async (link) => {
    missed = (await restoreValues(link, attempted, ids)) === 'another_entry';
  });
  if (missed) return { result: 'ambiguous', vendorCode: MISSED };
  return done || Object.keys(cleared).length === 0
    ? answer
    : { result: 'ambiguous', vendorCode: null };
}

/** Vendor code of our own: after the write, the DN names another entry than before. */
const MISSED = 'entry_replaced';

async function restoreValues(
  link: Link,
  attempted: Attempted,
  ids: NativeIds,
): Promise<'done' | 'another_entry'> {
  const { dn, vendor, cleared, mayForceChange, unasserted } = attempted;
  const { forced, clearsLate } = vendor;
  const changes = restoring(cleared);
  if (clearsLate && changes.length > 0) await untilCleared(link, dn, cleared);
  const id = unasserted?.nativeId ?? null;
  if (id !== null || (mayForceChange && forced !== null)) {
    const entry = await read(link, dn, forced === null ? [] : [forced.attribute], ids);
    if (id !== null && (entry === null || idOf(entry, ids, id) !== id)) return 'another_entry';
    const isForced =
      mayForceChange &&
      entry !== null &&
      forced !== null &&
      textOf(entry, forced.attribute) === forced.value;
    if (isForced) changes.push(forced.undo);
  }
  if (changes.length > 0) await change(link, dn, changes);
  return 'done';
}

/** The server clears all values in one step, a few milliseconds after its reply, or clears none. */
const READS = 20;
const BETWEEN_READS_MS = 25;

async function untilCleared(link: Link, dn: string, cleared: LockValues): Promise<void> {
  for (let reads = 0; reads < READS; reads++) {
    const entry = await read(link, dn, Object.keys(cleared));
    const stays = ([attribute, value]: [string, string]) =>
      entry !== null && textOf(entry, attribute) === value;
    if (!Object.entries(cleared).some(stays)) return;
    await sleep(BETWEEN_READS_MS);
  }
}

async function read(
  link: Link,
  dn: string,
  attributes: string[],
  ids?: NativeIds,
): Promise<Entry | null> {
  const options = ids === undefined ? { attributes } : optionsFor(ids, attributes);
  const reply = await search(link, dn, { ...options, scope: 'base' });
  return reply.ok ? (reply.value[0] ?? null) : null;
}
