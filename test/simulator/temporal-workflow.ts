import { AsyncLocalStorage } from 'node:async_hooks';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { Engine } from './engine';

/** Stands in for `@temporalio/workflow` while the simulator runs the real workflow code. */

let engine: Engine | null = null;

export function useEngine(next: Engine): void {
  engine = next;
}

const theEngine = (): Engine => {
  if (engine === null) throw new Error('no engine');
  return engine;
};

interface ActivityOptions {
  readonly activityId?: string;
  readonly scheduleToCloseTimeout?: number;
  readonly retry?: { readonly maximumInterval?: string };
}

const unitsMs: Readonly<Record<string, number>> = {
  s: 1000,
  second: 1000,
  seconds: 1000,
  minute: 60_000,
  minutes: 60_000,
  hour: 3_600_000,
  hours: 3_600_000,
};

function msOf(text: string | undefined): number {
  const [, count, unit] = /^(\d+) ?([a-z]+)$/.exec(text ?? '') ?? [];
  const ms = unitsMs[unit ?? ''];
  if (count === undefined || ms === undefined) throw new Error(`not a duration: ${text}`);
  return Number(count) * ms;
}

const proxy = (lane: 'local' | 'queue', options: ActivityOptions) => {
  const laneOptions = { ...options, maximumIntervalMs: msOf(options.retry?.maximumInterval) };
  return new Proxy(
    {},
    {
      get: (_target, name: string) => {
        const call = (...args: readonly unknown[]) =>
          theEngine().runActivity(lane, laneOptions, name, args);
        return Object.assign(call, {
          executeWithOptions: (_with: unknown, args: readonly unknown[]) => call(...args),
        });
      },
    },
  );
};

export const proxyLocalActivities = (options: ActivityOptions) => proxy('local', options);
export const proxyActivities = (options: ActivityOptions) => proxy('queue', options);

export const ActivityCancellationType = {
  WAIT_CANCELLATION_COMPLETED: 'WAIT_CANCELLATION_COMPLETED',
} as const;

const scopes = new AsyncLocalStorage<CancellationScope>();

export class CancellationScope {
  readonly #parent = scopes.getStore();
  readonly #listeners = new Set<() => void>();
  readonly #cancellable: boolean;
  #cancelled = false;

  constructor(options: { readonly cancellable?: boolean } = {}) {
    this.#cancellable = options.cancellable !== false;
    if (this.#cancellable) this.#parent?.onCancel(() => this.cancel());
  }

  static current(): CancellationScope {
    return scopes.getStore() ?? new CancellationScope();
  }

  static nonCancellable<T>(work: () => Promise<T>): Promise<T> {
    return new CancellationScope({ cancellable: false }).run(work);
  }

  get consideredCancelled(): boolean {
    return this.#cancelled;
  }

  get cancelled(): boolean {
    return this.#cancelled;
  }

  run<T>(work: () => Promise<T>): Promise<T> {
    return scopes.run(this, work);
  }

  cancel(): void {
    this.#cancelled = true;
    for (const listener of [...this.#listeners]) listener();
  }

  /** @returns ends the subscription */
  onCancel(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

export const defineSignal = (name: string) => ({ name });
export const setHandler = (
  { name }: { readonly name: string },
  handler: (...args: readonly unknown[]) => void,
) => theEngine().setSignalHandler(name, handler);
export const condition = (holds: () => boolean, ms: number) =>
  theEngine().waitInWorkflow(holds, ms);
export const setCurrentDetails = () => {};
export const upsertSearchAttributes = () => {};
export const isCancellation = (error: unknown): boolean => error instanceof CancelledFailure;
export const patched = () => true;
export { ApplicationFailure, CancelledFailure };
