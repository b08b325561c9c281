import { AsyncLocalStorage } from 'node:async_hooks';
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { changeStates } from '../../model/change/change';
import type { Scheduler } from './scheduler';

/**
 * A small Temporal in memory: it runs the real workflow code, gives activities to workers that live, and repeats them as
 * the options of the proxies say. The workflow itself survives every crash, as its history would. Source of the rules:
 * the Temporal documentation on activity timeouts, retry policies and cancellation.
 */
export interface Engine {
  /** What `startChanges` and `deliverCommands` need of a `Client`. */
  readonly client: SimulatedClient;
  /** Runs an activity for the workflow whose code calls this. */
  runActivity(
    lane: 'local' | 'queue',
    options: LaneOptions,
    name: string,
    args: readonly unknown[],
  ): Promise<unknown>;
  addWorker(worker: SimulatedWorker): void;
  removeWorker(process: string): void;
  readonly workflows: ReadonlyMap<string, { readonly over: boolean; readonly failed: boolean }>;
  /** Everything that the engine would keep in its history, as JSON. */
  readonly history: readonly string[];
  /** Virtual time at which the last attempt began or ended. */
  readonly lastAttemptAt: () => number;
  /** How long the engine took to begin the next attempt after it lost a worker, in ms. */
  readonly recoveries: readonly number[];
  setSignalHandler(name: string, handler: SignalHandler): void;
  /**
   * Waits in the workflow whose code calls this, until a signal makes `holds` true or the time is over.
   * @throws CancelledFailure when its scope is cancelled
   */
  waitInWorkflow(holds: () => boolean, ms: number): Promise<boolean>;
}

export interface LaneOptions {
  readonly activityId?: string;
  readonly scheduleToCloseTimeout?: number;
  readonly maximumIntervalMs: number;
}

export interface SimulatedWorker {
  readonly process: string;
  readonly activities: Readonly<Record<string, (...args: never[]) => Promise<unknown>>>;
}

export interface SimulatedClient {
  readonly options: { readonly namespace: string };
  readonly workflow: {
    start(type: string, options: { readonly workflowId: string }): Promise<void>;
    getHandle(id: string): {
      signal(name: string, ...args: readonly unknown[]): Promise<void>;
      describe(): Promise<{
        readonly status: { readonly name: string };
        readonly raw: { readonly pendingActivities: readonly { readonly activityId: string }[] };
      }>;
    };
  };
  readonly workflowService: {
    resetActivity(request: {
      readonly execution: { readonly workflowId: string };
      readonly id: string;
    }): Promise<void>;
  };
}

type SignalHandler = (...args: readonly unknown[]) => void;

interface Workflow {
  over: boolean;
  failed: boolean;
  readonly handlers: Map<string, SignalHandler>;
  readonly backoffs: Map<string, Backoff>;
  /** Each looks whether its condition holds. */
  readonly conditions: Set<() => void>;
}

interface Backoff {
  attempt: number;
  /** Ends the wait between two attempts. */
  wake: (() => void) | null;
}

/** The engine notices after this time that a worker does not answer: workflow task timeout, heartbeat timeout. */
const LOST_AFTER_MS = { local: 10_000, queue: 20_000 } as const;
const INITIAL_INTERVAL_MS = 1000;
/** The process that runs the workflows. */
export const ENGINE = 'engine';
const NOT_FOUND = 5;

export const activityContext = new AsyncLocalStorage<{
  readonly attempt: number;
  readonly activityType: string;
}>();
const workflowContext = new AsyncLocalStorage<Workflow>();

export function createEngine(
  scheduler: Scheduler,
  random: () => number,
  scopeOf: () => {
    readonly cancelled: boolean;
    readonly onCancel: (call: () => void) => () => void;
  },
  run: (changeId: string) => Promise<unknown>,
): Engine {
  const workers = new Map<string, SimulatedWorker>();
  const workflows = new Map<string, Workflow>();
  const history: string[] = [];
  const recoveries: number[] = [];
  let lastAttemptAt = 0;
  const remember = (event: unknown) => history.push(JSON.stringify(event));

  const aliveWorkers = () =>
    [...workers.values()].filter(
      ({ process }) =>
        scheduler.isAlive(process) && scheduler.frozenUntil(process) <= scheduler.now(),
    );

  async function someWorker(): Promise<SimulatedWorker> {
    for (;;) {
      const alive = aliveWorkers();
      const chosen = alive[Math.floor(random() * alive.length)];
      if (chosen !== undefined) return chosen;
      await scheduler.sleep(1000);
    }
  }

  /** One attempt on one worker. @throws WorkerLost */
  async function attemptOn(
    lane: 'local' | 'queue',
    attempt: number,
    name: string,
    args: readonly unknown[],
  ): Promise<unknown> {
    await scheduler.gate();
    const worker = await someWorker();
    lastAttemptAt = scheduler.now();
    const { activities } = worker;
    const activity = (Object.hasOwn(activities, name) ? activities[name] : activities.default) as (
      ...all: readonly unknown[]
    ) => Promise<unknown>;
    const result = scheduler.spawn(worker.process, () =>
      activityContext.run({ attempt, activityType: name }, async () => {
        await scheduler.gate();
        return activity(...args);
      }),
    );
    let over = false;
    const settled = result.then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    const lost = watch(worker.process, LOST_AFTER_MS[lane], () => over);
    const first = await Promise.race([settled, lost]);
    over = true;
    lastAttemptAt = scheduler.now();
    if (first === 'lost') throw new WorkerLost();
    if ('error' in first) throw first.error;
    return first.value;
  }

  /** Resolves when the process was killed, or frozen for too long. */
  async function watch(process: string, lostAfterMs: number, over: () => boolean): Promise<'lost'> {
    while (!over()) {
      const frozenUntil = scheduler.frozenUntil(process);
      if (!scheduler.isAlive(process)) {
        await scheduler.sleep(lostAfterMs);
        return 'lost';
      }
      if (frozenUntil > scheduler.now() + lostAfterMs) {
        await scheduler.sleep(lostAfterMs);
        return 'lost';
      }
      await scheduler.sleep(5000);
    }
    return new Promise<never>(() => {});
  }

  const engine: Engine = {
    workflows,
    history,
    recoveries,
    lastAttemptAt: () => lastAttemptAt,
    addWorker: (worker) => void workers.set(worker.process, worker),
    removeWorker: (process) => void workers.delete(process),
    setSignalHandler: (name, handler) => {
      workflowContext.getStore()?.handlers.set(name, handler);
    },
    async waitInWorkflow(holds, ms) {
      const workflow = workflowContext.getStore();
      if (workflow === undefined) throw new Error('not called from a workflow');
      const scope = scopeOf();
      if (scope.cancelled) throw new CancelledFailure('cancelled before it began');
      if (holds()) return true;
      let look = () => {};
      let unsubscribe = () => {};
      const woken = new Promise<true>((resolve, reject) => {
        look = () => holds() && resolve(true);
        unsubscribe = scope.onCancel(() => reject(new CancelledFailure('cancelled')));
      });
      workflow.conditions.add(look);
      try {
        return await Promise.race([woken, scheduler.sleep(ms).then(() => false)]);
      } finally {
        unsubscribe();
        workflow.conditions.delete(look);
      }
    },
    async runActivity(lane, options, name, args) {
      const workflow = workflowContext.getStore();
      if (workflow === undefined) throw new Error('not called from a workflow');
      const scope = scopeOf();
      if (scope.cancelled) throw new CancelledFailure('cancelled before it began');
      remember({ name, args });
      const id = options.activityId ?? `${name}-${history.length}`;
      const backoff: Backoff = { attempt: 1, wake: null };
      if (lane === 'queue') workflow.backoffs.set(id, backoff);
      let cancelled = false;
      const unsubscribe = scope.onCancel(() => {
        cancelled = true;
        backoff.wake?.();
      });
      const deadline =
        scheduler.now() + (options.scheduleToCloseTimeout ?? Number.POSITIVE_INFINITY);
      try {
        for (;;) {
          try {
            const result = await attemptOn(lane, backoff.attempt, name, args);
            remember({ name, result });
            return result;
          } catch (error) {
            remember({ name, failure: describe(error) });
            if (cancelled) throw new CancelledFailure('cancelled');
            if (error instanceof ApplicationFailure && error.nonRetryable) throw error;
            const delay = delayAfter(error, backoff.attempt, options.maximumIntervalMs);
            if (scheduler.now() + delay > deadline) throw error;
            if (error instanceof WorkerLost) recoveries.push(LOST_AFTER_MS[lane] + delay);
            backoff.attempt++;
            await backoffFor(delay, backoff);
            if (cancelled) throw new CancelledFailure('cancelled');
          }
        }
      } finally {
        unsubscribe();
        if (lane === 'queue') workflow.backoffs.delete(id);
      }
    },
    client: {
      options: { namespace: 'simulated' },
      workflow: {
        async start(type, { workflowId }) {
          await scheduler.gate();
          if (workflows.has(workflowId))
            throw new WorkflowExecutionAlreadyStartedError('started', workflowId, type);
          const workflow: Workflow = {
            over: false,
            failed: false,
            handlers: new Map(),
            backoffs: new Map(),
            conditions: new Set(),
          };
          workflows.set(workflowId, workflow);
          scheduler
            .spawn(ENGINE, () => workflowContext.run(workflow, () => run(workflowId)))
            .catch((error: unknown) => {
              workflow.failed = !(error instanceof CancelledFailure) && !isReportedEnd(error);
              remember({ workflow: workflowId, failure: describe(error) });
            })
            .finally(() => {
              workflow.over = true;
            });
        },
        getHandle: (id) => ({
          async signal(name, ...args) {
            await scheduler.gate();
            const workflow = workflows.get(id);
            if (workflow === undefined || workflow.over)
              throw new WorkflowNotFoundError('not running', id, undefined);
            await scheduler.spawn(ENGINE, async () => {
              workflow.handlers.get(name)?.(...args);
              for (const look of [...workflow.conditions]) look();
            });
          },
          async describe() {
            await scheduler.gate();
            const workflow = workflows.get(id);
            const pending = [...(workflow?.backoffs.keys() ?? [])];
            return {
              status: { name: workflow?.over === false ? 'RUNNING' : 'COMPLETED' },
              raw: { pendingActivities: pending.map((activityId) => ({ activityId })) },
            };
          },
        }),
      },
      workflowService: {
        async resetActivity({ execution, id }) {
          await scheduler.gate();
          const backoff = workflows.get(execution.workflowId)?.backoffs.get(id);
          if (backoff === undefined)
            throw Object.assign(new Error('no activity'), { code: NOT_FOUND });
          backoff.attempt = 1;
          backoff.wake?.();
        },
      },
    },
  };

  async function backoffFor(ms: number, backoff: Backoff): Promise<void> {
    const woken = new Promise<void>((resolve) => {
      backoff.wake = resolve;
    });
    await Promise.race([scheduler.sleep(ms), woken]);
    backoff.wake = null;
  }
  return engine;
}

class WorkerLost extends Error {}

/** As the retry policy of the proxies has it: from one second, doubled each time. */
function delayAfter(error: unknown, attempt: number, maximumMs: number): number {
  const asked = error instanceof ApplicationFailure ? error.nextRetryDelay : undefined;
  if (typeof asked === 'number') return asked;
  return Math.min(maximumMs, INITIAL_INTERVAL_MS * 2 ** (attempt - 1));
}

/** A change that has not reached every account fails its workflow on purpose. */
const isReportedEnd = (error: unknown): boolean =>
  error instanceof ApplicationFailure && Object.hasOwn(changeStates, error.type ?? '');

const describe = (error: unknown) =>
  error instanceof Error ? { name: error.name, message: error.message, stack: error.stack } : {};
