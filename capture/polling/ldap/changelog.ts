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

/** What follows a place in a changelog. */
export interface Stretch extends Pick<Page, 'end' | 'more' | 'missed'> {
  readonly changes: readonly LoggedChange[];
}

export interface Changelog {
  /** @throws PollFailure */
  read(): Promise<Stretch>;
  /** @throws PollFailure */
  moveTo(startpoint: Startpoint): Promise<void>;
}

/** The last change that was read; `id` is empty where it is not known. */
interface Spot {
  readonly number: number;
  readonly id: string;
}

const MOST = 100;
/** Entries that are looked through at once for a time. */
const LOOKED_THROUGH = 1_000;
const CHANGELOG = 'cn=changelog';

/** The entries of `cn=changelog` in the order of their numbers, from a durable place on; the first time, from its end on. */
export function openChangelog(reader: Reader, place: Checkpoint): Changelog {
  let readable = false;

  async function after(spot: Spot, missed: boolean): Promise<Stretch> {
    const found = await changesIn(reader, spot.number, spot.number + MOST);
    const own = found.find(({ number }) => number === spot.number);
    own?.changes.fill(0);
    const changes = found.filter((change) => change !== own);
    // Numbers began again, and came further than this.
    if (own !== undefined && spot.id !== '' && own.id !== spot.id)
      return after(beforeFirst(await bounds(reader)), true);
    if (found.length === 0 || !readable) await mayRead();
    if (changes[0]?.number !== spot.number + 1) {
      const { first, last } = await bounds(reader);
      if (last < spot.number || first > spot.number + 1)
        return after(beforeFirst({ first, last }), true);
      // Somebody has deleted that many entries.
      if (changes.length === 0 && last > spot.number + MOST)
        return { changes, end: nameOf({ number: spot.number + MOST, id: '' }), more: true, missed };
    }
    const end = nameOf(changes.at(-1) ?? own ?? spot);
    return { changes, end, more: changes.length === MOST, missed };
  }
  async function mayRead(): Promise<void> {
    for (const dn of [CHANGELOG, reader.settings.base])
      if (!(await reader.sees(dn))) throw new PollFailure('no_rights', dn);
    readable = true;
  }

  const moveTo = async (startpoint: Startpoint): Promise<void> =>
    place.moveTo(nameOf(await spotOf(reader, startpoint)));

  return {
    moveTo,
    async read() {
      if (place.current() === null) await moveTo({ from: 'end' });
      return after(spotIn(place.current() ?? ''), false);
    },
  };
}

const beforeFirst = ({ first, last }: Bounds): Spot => ({
  number: Math.max(0, Math.min(first - 1, last)),
  id: '',
});

/** How a change is called: also what a cursor is. */
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

/** Servers keep no index of the times, and refuse to look through all of them at once. */
async function firstSince(reader: Reader, at: Date, { first, last }: Bounds): Promise<number> {
  for (let from = first; from <= last; from += LOOKED_THROUGH) {
    const found = await range(reader, from, from + LOOKED_THROUGH - 1, timed);
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

/** The numbers of the first change that is there, and of the last one that there ever was. */
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
