import { setTimeout as sleep } from 'node:timers/promises';
import { inTurn, runRound } from '../../bench/round';

describe('a round', () => {
  test('has as many changes in flight as said, from its beginning to the end of the window', async () => {
    let inFlight = 0;
    const seen: number[] = [];
    const change = async () => {
      seen.push(++inFlight);
      await sleep(5);
      inFlight--;
      return 5;
    };
    const round = await runRound({ inFlight: 3, windowMs: 200 }, {}, change);
    expect(Math.max(...seen)).toBe(3);
    expect(inFlight).toBe(0);
    expect(round.seconds).toBeGreaterThan(0.19);
  });

  test('counts what ends in its window, and neither what ended before nor after', async () => {
    let ended = 0;
    const change = async () => {
      await sleep(20);
      return ++ended;
    };
    const { changes, timesMs } = await runRound({ inFlight: 2, windowMs: 200 }, {}, change);
    // The first of each lane warm it up; the last of each lane end when the window is closed.
    expect(timesMs.length).toBe(changes);
    expect(timesMs).not.toContain(1);
    expect(timesMs).not.toContain(ended);
    expect(changes).toBeLessThanOrEqual(ended - 3);
    expect(changes).toBeGreaterThan(0);
  });

  test('ends with the error of a change', async () => {
    let count = 0;
    const change = async () => {
      await sleep(1);
      if (++count > 20) throw new Error('not done');
      return 1;
    };
    await expect(runRound({ inFlight: 4, windowMs: 60_000 }, {}, change)).rejects.toThrow(
      'not done',
    );
  });
});

test('nobody is changed twice at once, and whoever was changed longest ago is next', async () => {
  const queue = ['ann', 'bob', 'cid'];
  const busy: string[] = [];
  const first = inTurn(queue, async (person) => {
    busy.push(person);
    await sleep(20);
  });
  await inTurn(queue, async (person) => busy.push(person));
  await first;
  await inTurn(queue, async (person) => busy.push(person));
  expect(busy).toEqual(['ann', 'bob', 'cid']);
  expect(queue).toEqual(['bob', 'ann', 'cid']);
});
