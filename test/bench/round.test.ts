import { setTimeout as sleep } from 'node:timers/promises';
import { inTurn, runRound } from '../../bench/round';

describe('a round', () => {
  test('a round keeps the given number of changes in flight until its window ends', async () => {
    let inFlight = 0;
    const observed: number[] = [];
    const change = async () => {
      observed.push(++inFlight);
      await sleep(5);
      inFlight--;
      return 5;
    };
    const round = await runRound({ inFlight: 3, windowMs: 200 }, {}, change);
    expect(Math.max(...observed)).toBe(3);
    expect(inFlight).toBe(0);
    expect(round.seconds).toBeGreaterThan(0.19);
  });

  test('a round counts only changes that end in its window', async () => {
    let ended = 0;
    const change = async () => {
      await sleep(20);
      return ++ended;
    };
    const { changes, timesMs } = await runRound({ inFlight: 2, windowMs: 200 }, {}, change);
    // The first change of each lane warms it up, and the last one ends after the window.
    expect(timesMs.length).toBe(changes);
    expect(timesMs).not.toContain(1);
    expect(timesMs).not.toContain(ended);
    expect(changes).toBeLessThanOrEqual(ended - 3);
    expect(changes).toBeGreaterThan(0);
  });

  test('a round goes on after its window until at least one change has ended', async () => {
    const change = async () => {
      await sleep(100);
      return 100;
    };
    const { changes } = await runRound({ inFlight: 1, windowMs: 1 }, {}, change);
    expect(changes).toBe(1);
  });

  test('a round fails with the error of a change', async () => {
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

test('inTurn never changes a person twice at the same time, and picks the one changed longest ago', async () => {
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
