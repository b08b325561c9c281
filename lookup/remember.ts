import { isAway } from '../store/database';

/** How long the database is not asked again after it was found unavailable. */
const RETRY_AFTER_MS = 1_000;
/** More values are not remembered: the oldest are forgotten. */
const MOST_VALUES = 50_000;

interface Remembered {
  readonly value: unknown;
  readonly readAt: Date;
  /** By the clock of `performance.now`, which is never set. */
  readonly at: number;
}

/** A value that the lookup service uses, and when it was read from the database. */
export interface Read<T> {
  readonly value: T;
  readonly readAt: Date;
  /** True if the database was unavailable. */
  readonly fromMemory: boolean;
}

export interface Memory {
  /**
   * Reads a value from the database. While that is unavailable, and for up to a second afterwards, a value that was
   * read less than `maxAgeMs` ago is used again.
   * @param key names the value
   * @throws the error of `read`, when nothing is remembered
   */
  read<T>(key: string, maxAgeMs: number, read: () => Promise<T>): Promise<Read<T>>;
}

/** A memory for what the service reads. It holds credentials only as they are sealed. */
export function createMemory(now: () => number = () => performance.now()): Memory {
  const values = new Map<string, Remembered>();
  /** What does not exist, such as an invented key, is kept apart, so that it pushes out no value. */
  const absent = new Map<string, Remembered>();
  let away: { readonly error: unknown; readonly until: number } | null = null;

  const remember = (key: string, value: unknown, maxAgeMs: number): Date => {
    const readAt = new Date();
    values.delete(key);
    absent.delete(key);
    const kept = value === null ? absent : values;
    if (maxAgeMs > 0) kept.set(key, { value, readAt, at: now() });
    const [oldest] = kept.keys();
    if (kept.size > MOST_VALUES && oldest !== undefined) kept.delete(oldest);
    return readAt;
  };
  const recall = <T>(key: string, maxAgeMs: number, error: unknown): Read<T> => {
    const known = values.get(key) ?? absent.get(key);
    if (known === undefined || now() - known.at >= maxAgeMs) throw error;
    return { value: known.value as T, readAt: known.readAt, fromMemory: true };
  };

  return {
    async read(key, maxAgeMs, read) {
      if (away !== null && now() < away.until) return recall(key, maxAgeMs, away.error);
      try {
        const value = await read();
        away = null;
        return { value, readAt: remember(key, value, maxAgeMs), fromMemory: false };
      } catch (error) {
        if (!isAway(error)) throw error;
        away = { error, until: now() + RETRY_AFTER_MS };
        return recall(key, maxAgeMs, error);
      }
    },
  };
}
