import { mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { HandOverRefusal } from '../../capture/hand-over/protocol';
import { openCheckpoint } from '../../capture/polling/checkpoint';
import { type Polling, startPolling } from '../../capture/polling/loop';
import { type Page, type Poller, PollFailure } from '../../capture/polling/poller';
import type { Startpoint } from '../../model/captures/startpoint';
import { Secret } from '../../model/passwords/secret';
import { until } from '../support/until';

/** A log of words, of which the first are gone. */
interface PlayedLog extends Poller {
  readonly words: string[];
  gone: number;
  readonly asked: () => number;
}

function playedLog(): PlayedLog {
  let [at, asked] = [0, 0];
  const words: string[] = [];
  return {
    words,
    gone: 0,
    asked: () => asked,
    async read(): Promise<Page> {
      asked++;
      const missed = at < this.gone;
      const from = Math.max(at, this.gone);
      const end = Math.min(from + 2, words.length);
      const captures = words.slice(from, end).map((word, index) => ({
        ...{ account: 'alice', password: Secret.fromText(word), hashed: false },
        ...{ current: null, capturedAt: null, sequence: String(from + index) },
      }));
      return { captures, end: String(end), more: end < words.length, missed };
    },
    async acknowledge({ end }) {
      at = Number(end);
    },
    async moveTo(startpoint: Startpoint) {
      if (startpoint.from === 'cursor') throw new PollFailure('startpoint_unknown');
      at = startpoint.from === 'begin' ? 0 : words.length;
    },
    async close() {},
  };
}

let running: Polling[] = [];
afterEach(async () => {
  for (const one of running) await one.stop();
  running = [];
});

async function start(
  log: PlayedLog,
  more: { refusal?: () => HandOverRefusal | null; backlog?: number } = {},
) {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'lockstep-polling-'));
  const heard: string[] = [];
  const polling = startPolling(log, {
    source: 'warehouse',
    async take({ password }) {
      const refusal = more.refusal?.() ?? null;
      if (refusal === null) heard.push(password.text());
      return refusal;
    },
    backlog: () => more.backlog ?? 0,
    mostWaiting: 10,
    startpointApplied: await openCheckpoint(path.join(dir, 'startpoint')),
    missed: await openCheckpoint(path.join(dir, 'missed')),
    pace: { everyMs: 5, waitMs: { first: 5, most: 10 }, random: () => 1 },
  });
  running.push(polling);
  return { polling, heard, dir };
}

test('all of it is read, in its order, and what comes later, too', async () => {
  const log = playedLog();
  log.words.push('a', 'b', 'c');
  const { heard } = await start(log);
  await until(() => heard.length === 3);
  log.words.push('d');
  await until(() => heard.length === 4);
  expect(heard).toEqual(['a', 'b', 'c', 'd']);
});

test('what could not be made durable is read again, from the beginning of its page', async () => {
  const log = playedLog();
  log.words.push('a', 'b', 'c');
  const refusals: (HandOverRefusal | null)[] = [null, 'not_durable'];
  const { heard, polling } = await start(log, { refusal: () => refusals.shift() ?? null });
  await until(() => heard.length === 4);
  expect(heard).toEqual(['a', 'a', 'b', 'c']);
  await until(() => polling.trouble() === null);
});

test('with a full spool the source keeps the rest', async () => {
  const log = playedLog();
  log.words.push('a');
  const { heard, polling } = await start(log, { backlog: 10 });
  polling.offer({ number: 1, startpoint: { from: 'begin' } });
  await until(() => polling.startpointApplied() === 1);
  expect([heard, log.asked()]).toEqual([[], 0]);
});

test('what was gone before it was read is counted, and is so after a restart', async () => {
  const log = playedLog();
  log.words.push('a', 'b', 'c');
  log.gone = 1;
  const { heard, polling, dir } = await start(log);
  await until(() => heard.length === 2);
  expect([heard, polling.missed()]).toEqual([['b', 'c'], 1]);
  expect((await openCheckpoint(path.join(dir, 'missed'))).current()).toBe('1');
});

test('a startpoint is gone to once, however often it is told', async () => {
  const log = playedLog();
  log.words.push('a');
  const { heard, polling } = await start(log);
  await until(() => heard.length === 1);
  const again = { number: 1, startpoint: { from: 'begin' } } as const;
  polling.offer(again);
  await until(() => heard.length === 2);
  polling.offer(again);
  log.words.push('b');
  await until(() => heard.length === 3);
  expect([heard, polling.startpointApplied()]).toEqual([['a', 'a', 'b'], 1]);
});

test('one that the source does not know is told as long as nobody sets another, and reading goes on', async () => {
  const log = playedLog();
  const { heard, polling } = await start(log);
  const unknown = { number: 1, startpoint: { from: 'cursor', cursor: '4711' } } as const;
  polling.offer(unknown);
  await until(() => polling.trouble() === 'startpoint_unknown');
  log.words.push('a');
  await until(() => heard.length === 1);
  polling.offer(unknown);
  expect([polling.trouble(), polling.startpointApplied()]).toEqual(['startpoint_unknown', 0]);
  polling.offer({ number: 2, startpoint: { from: 'begin' } });
  await until(() => polling.startpointApplied() === 2);
  await until(() => polling.trouble() === null);
});
