import type { Report } from '../local/debian';
import { type HistorySize, readHistorySizes } from './history';
import { type Size, sizes } from './people';
import type { Cost, Memory } from './processes';
import type { Load, Round } from './round';
import type { Sides } from './sides';
import { median, quantile, sum } from './statistics';

/** How much is measured. */
export interface Effort {
  readonly proofs: readonly boolean[];
  /** Duration of the warm-up of each side. Node compiles what runs often only after some 20 seconds. */
  readonly warmUpMs: number;
  /** Duration of the rounds that are not counted after a change of the configuration. */
  readonly settleMs: number;
  /** Number of rounds of each side at each load. */
  readonly turns: number;
  /** Duration of a round. The bare loop needs less time for the same number of changes. */
  readonly windowMs: Readonly<Record<'lockstep' | 'bare' | 'floor', number>>;
  /** Number of changes of each side at each number of accounts. */
  readonly singles: number;
}

export const efforts = {
  full: {
    proofs: [true, false],
    warmUpMs: 20_000,
    settleMs: 2_000,
    turns: 3,
    windowMs: { lockstep: 6_000, bare: 3_000, floor: 3_000 },
    singles: 5,
  },
  quick: {
    proofs: [true],
    warmUpMs: 500,
    settleMs: 0,
    turns: 1,
    windowMs: { lockstep: 1_000, bare: 500, floor: 500 },
    singles: 1,
  },
} as const satisfies Record<string, Effort>;

export const inFlights = [1, 16, 64] as const;

/** The number of changes in flight at which Lockstep is compared with empty workflows, too. */
const FLOOR_IN_FLIGHT = 16;

export interface Times {
  readonly p50Ms: number;
  readonly p95Ms: number;
}

export interface Side extends Times {
  readonly perSecond: number;
  /** CPU milliseconds per change, by process. */
  readonly cpuMs: Cost;
}

export interface LoadResult {
  readonly prove: boolean;
  readonly inFlight: number;
  /** Rate of Lockstep divided by that of the bare loop, the median of all rounds. */
  readonly ratio: number;
  readonly lockstep: Side;
  readonly bare: Side;
  /** Empty workflows on the same engine, and the rate of Lockstep divided by theirs; null where they are not measured. */
  readonly floor: (Side & { readonly ratio: number }) | null;
  /** Time until the auth account holds the new password; null without proof. */
  readonly verdict: Times | null;
}

export interface SingleResult {
  readonly accounts: Size;
  readonly lockstepMs: number;
  readonly bareMs: number;
  /** Time of Lockstep divided by that of the bare loop, the median of all turns; less is better. */
  readonly ratio: number;
  readonly history: HistorySize;
}

export interface Results {
  readonly loads: readonly LoadResult[];
  readonly singles: readonly SingleResult[];
  /** History size of a change of five accounts in two sources without any wait. */
  readonly history: HistorySize;
  /** Current and highest memory of each process; null if it cannot be read. */
  readonly memory: Readonly<Record<'worker' | 'api', Memory | null>>;
}

/** Runs all measurements. */
export async function measure(sides: Sides, effort: Effort, report: Report): Promise<Results> {
  const loads: LoadResult[] = [];
  report(`warming up each side for ${effort.warmUpMs / 1000} s`);
  await warmUp(sides, true, effort.warmUpMs);
  for (const prove of effort.proofs) {
    await sides.lockstep.configure(prove);
    if (effort.settleMs > 0) await warmUp(sides, prove, effort.settleMs);
    for (const inFlight of inFlights)
      loads.push(await measureLoad(sides, effort, prove, inFlight, report));
  }
  await sides.lockstep.configure(true);
  const singles: SingleResult[] = [];
  for (const size of sizes) singles.push(await measureSingle(sides, effort, size, report));
  // A change alone, because a step that takes seconds in a crowd on a slow machine costs more events.
  await sides.lockstep.round('end', { inFlight: 1, windowMs: 0 });
  const history = await historyOf(sides, 'crowd');
  return { loads, singles, history, memory: sides.memory() };
}

async function warmUp({ lockstep, bare, floor }: Sides, prove: boolean, windowMs: number) {
  const load = { inFlight: 16, windowMs };
  await lockstep.round('end', load);
  await bare.round(prove, load);
  await floor.round(load);
}

interface Turn {
  readonly ours: Round;
  readonly theirs: Round;
  readonly empty: Round | null;
  readonly verdict: Round | null;
}

async function measureLoad(
  { lockstep, bare, floor }: Sides,
  { turns, windowMs }: Effort,
  prove: boolean,
  inFlight: number,
  report: Report,
): Promise<LoadResult> {
  const load = (side: keyof Effort['windowMs']): Load => ({ inFlight, windowMs: windowMs[side] });
  const withFloor = prove && inFlight === FLOOR_IN_FLIGHT;
  const rounds: Turn[] = [];
  for (let turn = 1; turn <= turns; turn++) {
    const ours = await lockstep.round('end', load('lockstep'));
    const theirs = await bare.round(prove, load('bare'));
    const empty = withFloor ? await floor.round(load('floor')) : null;
    const verdict = prove ? await lockstep.round('auth', load('lockstep')) : null;
    rounds.push({ ours, theirs, empty, verdict });
    const rates = `${rateOf(ours).toFixed(1)}/s, bare ${rateOf(theirs).toFixed(1)}/s`;
    report(`${prove ? 'with' : 'without'} proof, ${inFlight} in flight, turn ${turn}: ${rates}`);
  }
  const verdicts = rounds.flatMap(({ verdict }) => verdict?.timesMs ?? []);
  return {
    prove,
    inFlight,
    ratio: median(rounds.map(({ ours, theirs }) => rateOf(ours) / rateOf(theirs))),
    lockstep: sideOf(rounds.map(({ ours }) => ours)),
    bare: sideOf(rounds.map(({ theirs }) => theirs)),
    floor: withFloor ? floorOf(rounds) : null,
    verdict: prove ? timesOf(verdicts) : null,
  };
}

async function measureSingle(
  sides: Sides,
  { singles }: Effort,
  accounts: Size,
  report: Report,
): Promise<SingleResult> {
  const turns: { ours: number; theirs: number }[] = [];
  // The first turn is not counted, because it is the first change of this person.
  for (let turn = 0; turn <= singles; turn++) {
    const ours = await sides.lockstep.changeOwner(accounts);
    const theirs = await sides.bare.changeOwner(true, accounts);
    if (turn > 0) turns.push({ ours, theirs });
  }
  const result = {
    accounts,
    lockstepMs: median(turns.map(({ ours }) => ours)),
    bareMs: median(turns.map(({ theirs }) => theirs)),
    ratio: median(turns.map(({ ours, theirs }) => ours / theirs)),
    history: await historyOf(sides, accounts),
  };
  const times = `${result.lockstepMs.toFixed(0)} ms, bare ${result.bareMs.toFixed(0)} ms`;
  report(`one change, ${accounts} accounts: ${times}`);
  return result;
}

async function historyOf(sides: Sides, of: 'crowd' | Size): Promise<HistorySize> {
  const [size] = await readHistorySizes(sides.engineAddress, [sides.lockstep.lastChange(of)]);
  if (size === undefined) throw new Error('The engine returned no history for the change');
  return size;
}

function floorOf(rounds: readonly Turn[]): LoadResult['floor'] {
  const pairs = rounds.flatMap(({ ours, empty }) => (empty === null ? [] : [{ ours, empty }]));
  return {
    ...sideOf(pairs.map(({ empty }) => empty)),
    ratio: median(pairs.map(({ ours, empty }) => rateOf(ours) / rateOf(empty))),
  };
}

const rateOf = ({ changes, seconds }: Round): number => changes / seconds;

const timesOf = (timesMs: readonly number[]): Times => ({
  p50Ms: quantile(timesMs, 0.5),
  p95Ms: quantile(timesMs, 0.95),
});

function sideOf(rounds: readonly Round[]): Side {
  const changes = sum(rounds.map((round) => round.changes));
  const names = Object.keys(rounds[0]?.cost ?? {});
  return {
    perSecond: median(rounds.map(rateOf)),
    ...timesOf(rounds.flatMap(({ timesMs }) => timesMs)),
    cpuMs: Object.fromEntries(
      names.map((name) => [name, sum(rounds.map(({ cost }) => cost[name] ?? 0)) / changes]),
    ),
  };
}
