import { setMaxListeners } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { createHub, waitUntil } from '../../api/http/hub';

/** A table that counts its reads. */
function table(states: Record<string, number>) {
  const reads: string[][] = [];
  const read = async (ids: readonly string[]) => {
    reads.push([...ids].sort());
    await turn();
    return new Map(ids.flatMap((id) => (id in states ? [[id, states[id] ?? 0] as const] : [])));
  };
  return { states, reads, read };
}

const never = new AbortController().signal;
setMaxListeners(0, never);
const MINUTE = 60_000;

describe('the hub', () => {
  test('a new follower receives the current state', async () => {
    const { read } = table({ a: 1 });
    const initial = await new Promise((resolve) => createHub(read).follow('a', resolve));
    expect(initial).toBe(1);
  });

  test('hundreds of followers of many items cost one statement at a time', async () => {
    const { read, reads, states } = table({ a: 0, b: 0 });
    const hub = createHub(read);
    const waiting = [...Array(300).keys()].map((index) =>
      waitUntil(hub, index % 2 === 0 ? 'a' : 'b', (state) => state === 1, MINUTE, [never]),
    );
    await turn();
    states.a = 1;
    states.b = 1;
    hub.notify('a');
    hub.notify('b');
    await Promise.all(waiting);
    expect(reads.length).toBeLessThan(5);
  });

  test('a notification that arrives during a read is not lost', async () => {
    const states: Record<string, number> = { a: 0 };
    let reads = 0;
    const hub = createHub(async () => {
      const before = new Map(Object.entries(states));
      if (++reads === 1) {
        states.a = 1;
        hub.notify('a');
        await turn();
      }
      return before;
    });
    await waitUntil(hub, 'a', (state) => state === 1, MINUTE, [never]);
    expect(reads).toBe(2);
  });

  test('after a reconnect every followed item is read again', async () => {
    const { read, reads } = table({ a: 1, b: 1 });
    const hub = createHub(read);
    const seen: string[] = [];
    hub.follow('a', () => seen.push('a'));
    hub.follow('b', () => seen.push('b'));
    while (seen.length < 2) await turn();
    hub.notify(null);
    while (seen.length < 4) await turn();
    expect(reads.at(-1)).toEqual(['a', 'b']);
  });

  test('a failed read is retried', async () => {
    let reads = 0;
    const hub = createHub(async () => {
      if (++reads === 1) throw new Error('away');
      return new Map([['a', 1]]);
    });
    await waitUntil(hub, 'a', (state) => state === 1, MINUTE, [never]);
    expect(reads).toBe(2);
  });

  test('nothing is read for followers that have left', async () => {
    const { read, reads } = table({ a: 0 });
    const hub = createHub(read);
    const gone = new AbortController();
    const waiting = waitUntil(hub, 'a', (state) => state === 1, MINUTE, [gone.signal]);
    while (reads.length === 0) await turn();
    gone.abort();
    await waiting;
    const before = reads.length;
    hub.notify('a');
    hub.notify(null);
    await turn();
    expect(reads).toHaveLength(before);
  });

  test('a client that has already disconnected does not wait', async () => {
    const hub = createHub(table({ a: 0 }).read);
    await waitUntil(hub, 'a', (state) => state === 1, MINUTE, [AbortSignal.abort()]);
  });
});
