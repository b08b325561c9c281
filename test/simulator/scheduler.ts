import { AsyncLocalStorage } from 'node:async_hooks';
import type { Random } from './random';

/**
 * Runs several simulated processes in one, one step at a time. A step ends where code asks a database, a source or the
 * engine for something (`gate`) or waits (`sleep`). The random generator picks who takes the next step, so a seed fixes
 * the whole interleaving. Time is virtual: it moves by one millisecond a step, and jumps when everybody waits.
 */
export interface Scheduler {
  /** Virtual time in ms since 1970. */
  now(): number;
  /** The process that runs this code. */
  process(): string;
  /** Runs `work` as code of a process. A killed process never comes back from its next gate. */
  spawn<T>(process: string, work: () => Promise<T>): Promise<T>;
  gate(): Promise<void>;
  sleep(ms: number): Promise<void>;
  /** Real I/O: the scheduler waits for it before it picks the next step. */
  busy<T>(work: Promise<T>): Promise<T>;
  kill(process: string): void;
  /** The process takes no step for `ms`. */
  freeze(process: string, ms: number): void;
  isAlive(process: string): boolean;
  /** When a frozen process goes on; 0 when it is not frozen. */
  frozenUntil(process: string): number;
  /** Resolves when the process is killed. */
  killed(process: string): Promise<void>;
  /** Steps that were taken so far. */
  steps(): number;
  /** Takes steps until `over`. @throws Error when nothing is left to do, or after `maxSteps` */
  run(over: () => boolean, maxSteps: number): Promise<void>;
}

interface Waiting {
  readonly process: string;
  readonly resume: () => void;
  /** Virtual time; 0 for a gate. */
  readonly at: number;
}

const STEP_MS = 1;
const QUIET_TICKS = 2;

/** One for all schedules: Node visits every store of this kind for each promise, and never forgets one that was used. */
const context = new AsyncLocalStorage<string>();

export function createScheduler(random: Random, startAt: number): Scheduler {
  const gates: Waiting[] = [];
  const sleepers: Waiting[] = [];
  const dead = new Map<string, () => void>();
  const deaths = new Map<string, Promise<void>>();
  const frozen = new Map<string, number>();
  const killedNames = new Set<string>();
  let time = startAt;
  let inFlight = 0;
  let onIdle = () => {};
  let changes = 0;
  let taken = 0;

  const current = () => context.getStore() ?? 'test';
  const never = new Promise<never>(() => {});
  const wait = (list: Waiting[], at: number): Promise<void> => {
    const process = current();
    if (killedNames.has(process)) return never;
    changes++;
    return new Promise<void>((resume) => {
      list.push({ process, resume, at });
    });
  };
  const mayStep = ({ process }: Waiting) => (frozen.get(process) ?? 0) <= time;

  /** Until no code runs any more: everything waits at a gate, sleeps, or is over. */
  const settle = (): Promise<void> =>
    new Promise((resolve) => {
      let quiet = 0;
      let seen = changes;
      const look = () => {
        if (inFlight > 0) {
          onIdle = () => setImmediate(look);
          return;
        }
        quiet = seen === changes ? quiet + 1 : 0;
        seen = changes;
        if (quiet < QUIET_TICKS) setImmediate(look);
        else resolve();
      };
      setImmediate(look);
    });

  function takeStep(): boolean {
    const ready = gates.filter(mayStep);
    const due = sleepers.filter((one) => one.at <= time && mayStep(one));
    const all = [...ready, ...due];
    if (all.length === 0) return false;
    const chosen = random.pick(all);
    const list = chosen.at === 0 ? gates : sleepers;
    list.splice(list.indexOf(chosen), 1);
    time += STEP_MS;
    taken++;
    chosen.resume();
    return true;
  }

  function jump(): boolean {
    const wakeUps = [
      ...sleepers.map(({ at, process }) => Math.max(at, frozen.get(process) ?? 0)),
      ...gates.map(({ process }) => frozen.get(process) ?? 0),
    ].filter((at) => at > time);
    if (wakeUps.length === 0) return false;
    time = Math.min(...wakeUps);
    return true;
  }

  return {
    now: () => time,
    process: current,
    spawn: (process, work) => context.run(process, work),
    gate: () => wait(gates, 0),
    sleep: (ms) => wait(sleepers, time + Math.max(1, ms)),
    async busy(work) {
      inFlight++;
      try {
        return await work;
      } finally {
        inFlight--;
        changes++;
        if (inFlight === 0) {
          const look = onIdle;
          onIdle = () => {};
          look();
        }
      }
    },
    kill(process) {
      killedNames.add(process);
      for (const list of [gates, sleepers])
        for (let at = list.length - 1; at >= 0; at--)
          if (list[at]?.process === process) list.splice(at, 1);
      dead.get(process)?.();
      changes++;
    },
    freeze: (process, ms) => void frozen.set(process, time + ms),
    isAlive: (process) => !killedNames.has(process),
    frozenUntil: (process) => frozen.get(process) ?? 0,
    killed(process) {
      const known =
        deaths.get(process) ??
        new Promise<void>((resolve) => {
          dead.set(process, resolve);
        });
      deaths.set(process, known);
      return known;
    },
    steps: () => taken,
    async run(over, maxSteps) {
      const last = taken + maxSteps;
      for (;;) {
        await settle();
        if (over()) return;
        if (taken >= last) throw new Error(`not over after ${maxSteps} steps`);
        if (!takeStep() && !jump()) throw new Error('no process has anything left to do');
      }
    },
  };
}

let tracking: Scheduler | null = null;

/** From now on `tracked` work counts as real I/O of this scheduler. */
export function trackWith(scheduler: Scheduler): void {
  tracking = scheduler;
}

export const tracked = <T>(work: Promise<T>): Promise<T> => tracking?.busy(work) ?? work;

/** Every method of `target` counts as real I/O. */
export const trackAll = <T extends object>(target: T): T =>
  Object.fromEntries(
    Object.entries(target).map(([name, member]) => [
      name,
      typeof member === 'function'
        ? (...args: unknown[]) => {
            const result = member(...args);
            return result instanceof Promise ? tracked(result) : result;
          }
        : member,
    ]),
  ) as T;
