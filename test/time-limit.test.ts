import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { timeLimit } from '../time-limit';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const aborted = (signal: AbortSignal) =>
  new Promise<string>((resolve) => {
    signal.addEventListener('abort', () => resolve((signal.reason as Error).name), { once: true });
  });

/** Ends the test with a failure, and keeps the process alive, because a timer of AbortSignal does not. */
const LATE_MS = 5_000;

test('a time limit fires after garbage was collected, also when it is combined with another signal', async () => {
  const { signal } = new AbortController();
  const names = [aborted(timeLimit(100)), aborted(timeLimit(100, signal))];
  // What a WeakRef refers to is kept until the turn of the event loop ends.
  await setImmediate();
  collectGarbage();
  let late: NodeJS.Timeout | undefined;
  const tooLate = new Promise<string>((resolve) => {
    late = setTimeout(() => resolve('late'), LATE_MS);
  });
  expect(await Promise.all(names.map((name) => Promise.race([name, tooLate])))).toEqual([
    'TimeoutError',
    'TimeoutError',
  ]);
  clearTimeout(late);
});

test('a time limit aborts when the other signal does, with its reason', () => {
  const other = new AbortController();
  const limit = timeLimit(60_000, other.signal);
  other.abort('stopped');
  expect(limit.reason).toBe('stopped');
});
