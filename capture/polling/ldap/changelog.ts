import {
  AndFilter,
  type Entry,
  GreaterThanEqualsFilter,
  LessThanEqualsFilter,
  type SearchOptions,
} from 'ldapts';
import { search, textOf } from '../../../connectors/ldap/accounts';
import type { Startpoint } from '../../../model/captures/startpoint';
import { type Checkpoint, type Page, PollFailure } from '../poller';
import { type LoggedChange, loggedChange, timeIn, wanted } from './entries';
import type { Reader } from './reader';

/** The changes that follow a checkpoint in a changelog. */
export interface Stretch extends Pick<Page, 'end' | 'more' | 'missed'> {
  readonly changes: readonly LoggedChange[];
}

export interface Changelog {
  /** Reads the changes after the checkpoint. @throws PollFailure if the directory cannot be read */
  read(): Promise<Stretch>;
  /** Moves the checkpoint. @throws PollFailure, with `startpoint_unknown` if the changelog does not have the startpoint */
  moveTo(startpoint: Startpoint): Promise<void>;
}

/** The position of a change in the changelog; `id` is empty if it is not known. */
interface Spot {
  readonly number: number;
  readonly id: string;
}

/** Maximum number of changes in a page. */
const PAGE_CHANGES = 100;
/** Number of entries that one search for a time covers. */
const SEARCHED_ENTRIES = 1_000;
const CHANGELOG = 'cn=changelog';

/**
 * Opens `cn=changelog`. It returns the changes in the order of their numbers, from the checkpoint on. Without a checkpoint it
 * starts at the end of the changelog.
 */
export function openChangelog(reader: Reader, checkpoint: Checkpoint): Changelog {
  let readable = false;

  async function after(spot: Spot, missed: boolean): Promise<Stretch> {
    const found = await changesIn(reader, spot.number, spot.number + PAGE_CHANGES);
    const last = found.find(({ number }) => number === spot.number);
    last?.changes.fill(0);
    const changes = found.filter((change) => change !== last);
    // The changelog was recreated: its numbers started again and have passed the checkpoint.
    if (last !== undefined && spot.id !== '' && last.id !== spot.id)
      return after(beforeFirst(await bounds(reader)), true);
    if (found.length === 0 || !readable) await mayRead();
    if (changes[0]?.number !== spot.number + 1) {
      const log = await bounds(reader);
      if (log.last < spot.number || log.first > spot.number + 1)
        return after(beforeFirst(log), true);
      // Every entry of this page was deleted, but later entries exist.
      if (changes.length === 0 && log.last > spot.number + PAGE_CHANGES)
        return {
          changes,
          end: nameOf({ number: spot.number + PAGE_CHANGES, id: '' }),
          more: true,
          missed,
        };
    }
    const end = nameOf(changes.at(-1) ?? last ?? spot);
    return { changes, end, more: changes.length === PAGE_CHANGES, missed };
  }
  async function mayRead(): Promise<void> {
    for (const dn of [CHANGELOG, reader.settings.base])
      if (!(await reader.sees(dn))) throw new PollFailure('no_rights', dn);
    readable = true;
  }

  const moveTo = async (startpoint: Startpoint): Promise<void> =>
    checkpoint.moveTo(nameOf(await spotOf(reader, startpoint)));

  return {
    moveTo,
    async read() {
      if (checkpoint.current() === null) await moveTo({ from: 'end' });
      return after(spotIn(checkpoint.current() ?? ''), false);
    },
  };
}

const beforeFirst = ({ first, last }: Bounds): Spot => ({
  number: Math.max(0, Math.min(first - 1, last)),
  id: '',
});

/** The text form of a position, `number/id`: the sequence of a change, a checkpoint, and a cursor that operators can set. */
export const nameOf = ({ number, id }: Spot): string => `${number}/${id}`;

function spotIn(text: string): Spot {
  const [, number = '0', id = ''] = /^(\d{1,15})(?:\/(.*))?$/.exec(text) ?? [];
  return { number: Number(number), id };
}

async function spotOf(reader: Reader, startpoint: Startpoint): Promise<Spot> {
  const { first, last } = await bounds(reader);
  switch (startpoint.from) {
    case 'begin':
      return beforeFirst({ first, last });
    case 'end':
      return { number: last, id: (await idAt(reader, last)) ?? '' };
    case 'cursor': {
      const spot = spotIn(startpoint.cursor);
      const id = (await idAt(reader, spot.number)) ?? spot.id;
      if ((spot.id !== '' && spot.id !== id) || spot.number < first - 1 || spot.number > last)
        throw new PollFailure('startpoint_unknown');
      return spot;
    }
    case 'time':
      return beforeFirst({ first: await firstSince(reader, startpoint.at, { first, last }), last });
  }
}

/**
 * The number of the first change at or after a time. Servers do not index the time and refuse a search over all entries, so
 * this searches a range of numbers at a time.
 */
async function firstSince(reader: Reader, at: Date, { first, last }: Bounds): Promise<number> {
  for (let from = first; from <= last; from += SEARCHED_ENTRIES) {
    const found = await range(reader, from, from + SEARCHED_ENTRIES - 1, timed);
    const since = found
      .filter((entry) => (timeIn(textOf(entry, 'changeTime') ?? '') ?? at) >= at)
      .map((entry) => Number(textOf(entry, NUMBER)));
    if (since.length > 0) return Math.min(...since);
  }
  return last + 1;
}

const NUMBER = 'changeNumber';
const timed = { attributes: [NUMBER, 'changeTime'] };

async function changesIn(reader: Reader, from: number, to: number): Promise<LoggedChange[]> {
  const entries = await range(reader, from, to, wanted);
  return entries.map(loggedChange).sort((one, other) => one.number - other.number);
}

async function idAt(reader: Reader, number: number): Promise<string | null> {
  const [change] = await changesIn(reader, number, number);
  change?.changes.fill(0);
  return change?.id ?? null;
}

function range(reader: Reader, from: number, to: number, what: SearchOptions): Promise<Entry[]> {
  const filter = new AndFilter({
    filters: [
      new GreaterThanEqualsFilter({ attribute: NUMBER, value: String(from) }),
      new LessThanEqualsFilter({ attribute: NUMBER, value: String(to) }),
    ],
  });
  return reader.ask((link) => search(link, CHANGELOG, { scope: 'one', filter, ...what }));
}

/** Numbers of the oldest change that the changelog still has, and of the newest change that it ever had. */
interface Bounds {
  readonly first: number;
  readonly last: number;
}

async function bounds(reader: Reader): Promise<Bounds> {
  const attributes = ['firstChangeNumber', 'lastChangeNumber'];
  const [root] = await reader.ask((link) => search(link, '', { scope: 'base', attributes }));
  const [first, last] = attributes.map((name) => root && textOf(root, name));
  if (!first || !last) throw new PollFailure('not_supported', 'changelog');
  return { first: Number(first), last: Number(last) };
}
