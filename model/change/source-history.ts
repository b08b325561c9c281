import { isErrorCode } from '../errors';
import { isSettled, type OutcomeState, outcomeStates } from './outcome';
import { wokenReasons } from './source-circuit';

/** The last 24 hours of a source: what a worker keeps of the audit, and how people read it. */

export const HISTORY_HOURS = 24;
/** Length of the slots in which a worker counts. */
export const SLOT_MINUTES = 5;

/** An audit record of an account or of a source, in the order of the chain. */
export interface HistoryRecord {
  readonly at: Date;
  readonly action: string;
  readonly source: string;
  readonly reason: string | null;
  /** The change and the label of the account; null in a record of a source. */
  readonly change: string | null;
  readonly label: string | null;
}

/** What a worker adds to the history of the sources. */
export interface HistoryEntries {
  readonly counts: readonly {
    readonly source: string;
    readonly at: Date;
    readonly kind: 'applied' | 'refused';
  }[];
  /** Accounts that wait since then, or did before they were settled. */
  readonly waits: readonly AccountAt[];
  readonly settled: readonly SettledAccount[];
  readonly steps: readonly OutageStep[];
}

interface AccountAt {
  readonly change: string;
  readonly label: string;
  readonly source: string;
  readonly at: Date;
  /** Whether it waits for the source as a whole, which is down or paused. */
  readonly forSource: boolean;
}

interface SettledAccount {
  readonly change: string;
  readonly label: string;
  readonly at: Date;
  readonly state: OutcomeState;
}

/** A source went down, was paused, or came back. */
export interface OutageStep {
  readonly source: string;
  readonly at: Date;
  readonly began: { readonly condition: 'down' | 'paused'; readonly reason: string } | null;
}

/** Sorts audit records into the entries of the history. An account that held the password before counts nowhere. */
export function historyEntries(records: readonly HistoryRecord[]): HistoryEntries {
  const waits = new Map<string, AccountAt>();
  const entries = {
    counts: [] as HistoryEntries['counts'][number][],
    settled: [] as SettledAccount[],
    steps: [] as OutageStep[],
  };
  for (const { at, action, source, reason, change, label } of records) {
    const [family, word = ''] = action.split('.');
    if (family === 'source') {
      const step = stepOf(word, reason);
      if (step !== undefined) entries.steps.push({ source, at, began: step });
      continue;
    }
    if (family !== 'account' || change === null || label === null || !isOutcome(word)) continue;
    if (word === 'waiting' || word === 'parked') {
      const key = `${change} ${label}`;
      const forSource = wokenReasons.some((woken) => woken === reason);
      const before = waits.get(key) ?? { change, label, source, at, forSource };
      waits.set(key, { ...before, forSource: before.forSource || forSource });
    }
    if (!isSettled(word)) continue;
    entries.settled.push({ change, label, at, state: word });
    if (word === 'applied' && reason !== 'origin')
      entries.counts.push({ source, at, kind: 'applied' });
    if (word === 'rejected' || word === 'expired')
      entries.counts.push({ source, at, kind: 'refused' });
  }
  return { ...entries, waits: [...waits.values()] };
}

const isOutcome = (word: string): word is OutcomeState => Object.hasOwn(outcomeStates, word);

/** What a record of a source does to its outage; undefined if nothing. */
function stepOf(word: string, reason: string | null): OutageStep['began'] | undefined {
  if (word === 'down' || word === 'paused') return { condition: word, reason: reason ?? 'unknown' };
  return word === 'up' || word === 'resumed' ? null : undefined;
}

/** A part of the 24 hours. */
export interface HistorySlot {
  readonly at: Date;
  readonly applied: number;
  readonly refused: number;
  /** Accounts that waited, or were parked, at some time in the slot. */
  readonly waiting: number;
}

/** What a worker has counted in a slot. Slots without any are missing. */
export interface CountedSlot {
  readonly at: Date;
  readonly applied: number;
  readonly refused: number;
  readonly waitsBegun: number;
  readonly waitsEnded: number;
}

/**
 * All slots of the 24 hours before `until`, the oldest first. How many accounts waited follows from how many wait now,
 * and from how many began and ceased to wait since.
 */
export function slotsOf(
  counted: readonly CountedSlot[],
  waitingNow: number,
  until: Date,
  slotMinutes: number,
): HistorySlot[] {
  const length = slotMinutes * 60_000;
  const last = Math.floor(until.getTime() / length) * length;
  const byTime = new Map(counted.map((slot) => [slot.at.getTime(), slot]));
  const slots: HistorySlot[] = [];
  let waitingAtEnd = waitingNow;
  for (let index = 0; index < (HISTORY_HOURS * 60) / slotMinutes; index++) {
    const at = new Date(last - index * length);
    const none = { applied: 0, refused: 0, waitsBegun: 0, waitsEnded: 0 };
    const { applied, refused, waitsBegun, waitsEnded } = byTime.get(at.getTime()) ?? none;
    // The accounts of a person who was deleted never ceased to wait.
    const waiting = Math.max(0, waitingAtEnd + waitsEnded);
    slots.push({ at, applied, refused, waiting });
    waitingAtEnd = Math.max(0, waiting - waitsBegun);
  }
  return slots.reverse();
}

/** A time in which a source was down or paused, and what became of the accounts that waited for it. */
export interface Outage {
  readonly condition: 'down' | 'paused';
  readonly reason: string;
  readonly since: Date;
  /** Null while it lasts. */
  readonly until: Date | null;
  readonly waited: number;
  readonly applied: number;
  /** Those that still wait, or are parked. */
  readonly unsettled: number;
  /** When the last of those that are settled was settled; null if none is. */
  readonly settledAt: Date | null;
}

/** One outage in words, such as "Down 03:10–03:25 (unreachable). 41 accounts waited; all were written by 03:26." */
export function outageText(outage: Outage, clock: (time: Date) => string): string {
  const { condition, since, until, reason } = outage;
  const state = condition === 'down' ? 'Down' : 'Paused';
  const when = until === null ? `since ${clock(since)}` : `${clock(since)}–${clock(until)}`;
  const why = isErrorCode(reason) ? ` (${reason})` : '';
  return `${state} ${when}${why}. ${waitedText(outage, clock)}`;
}

function waitedText(
  { until, waited, applied, unsettled, settledAt }: Outage,
  clock: (time: Date) => string,
): string {
  if (waited === 0) return `No account ${until === null ? 'waits' : 'waited'} for it.`;
  if (unsettled === waited) return `${accounts(waited)} ${waited === 1 ? 'waits' : 'wait'} for it.`;
  const others = waited - applied - unsettled;
  const by = settledAt === null ? '' : ` by ${clock(settledAt)}`;
  if (applied === waited)
    return `${accounts(waited)} waited; ${waited === 1 ? 'it was' : 'all were'} written${by}.`;
  const parts = [
    ...(applied > 0 ? [`${applied} ${wasOrWere(applied)} written`] : []),
    ...(others > 0 ? [`${others} ${wasOrWere(others)} not written`] : []),
    ...(unsettled > 0 ? [`${unsettled} ${unsettled === 1 ? 'waits' : 'wait'}`] : []),
  ];
  return `${accounts(waited)} waited; ${parts.join(', ')}${unsettled === 0 ? `, the last${by}` : ''}.`;
}

const wasOrWere = (count: number): string => (count === 1 ? 'was' : 'were');
const accounts = (count: number): string => (count === 1 ? '1 account' : `${count} accounts`);

/** The counts of 24 hours in words. */
export function totalsText(slots: readonly HistorySlot[], outages: readonly Outage[]): string {
  const sum = (count: (slot: HistorySlot) => number) =>
    slots.reduce((total, slot) => total + count(slot), 0);
  const applied = sum((slot) => slot.applied);
  const refused = sum((slot) => slot.refused);
  const most = Math.max(0, ...slots.map(({ waiting }) => waiting));
  const times = (condition: Outage['condition']) => {
    const count = outages.filter((outage) => outage.condition === condition).length;
    return count === 0 ? [] : [`${condition} ${count === 1 ? 'once' : `${count} times`}`];
  };
  const troubles = [...times('down'), ...times('paused')];
  return [
    `In ${HISTORY_HOURS} hours: ${accounts(applied)} written, ${refused} refused`,
    most === 0 ? 'none waited' : `at most ${most} waited`,
    ...troubles,
  ].join(', ');
}
