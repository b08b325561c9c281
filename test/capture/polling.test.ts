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

/** A poller of a log of words in memory. */
interface PlayedLog extends Poller {
  readonly words: string[];
  /** Number of words at the beginning that were trimmed. */
  gone: number;
  /** How many times it was read. */
  readonly reads: () => number;
}

function playedLog(): PlayedLog {
  let [at, reads] = [0, 0];
  const words: string[] = [];
  return {
    words,
    gone: 0,
    reads: () => reads,
    async read(): Promise<Page> {
      reads++;
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
  for (const polling of running) await polling.stop();
  running = [];
});

async function start(
  log: PlayedLog,
  more: { refusal?: () => HandOverRefusal | null; backlog?: number } = {},
) {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'lockstep-polling-'));
  const ingested: string[] = [];
  const polling = startPolling(log, {
    source: 'warehouse',
    async ingest({ password }) {
      const refusal = more.refusal?.() ?? null;
      if (refusal === null) ingested.push(password.text());
      return refusal;
    },
    backlog: () => more.backlog ?? 0,
    maxBacklog: 10,
    startpointApplied: await openCheckpoint(path.join(dir, 'startpoint')),
    missed: await openCheckpoint(path.join(dir, 'missed')),
    pace: { everyMs: 5, waitMs: { first: 5, max: 10 }, random: () => 1 },
  });
  running.push(polling);
  return { polling, ingested, dir };
}

test('polling reads all changes of a source in order, including those that come later', async () => {
  const log = playedLog();
  log.words.push('a', 'b', 'c');
  const { ingested } = await start(log);
  await until(() => ingested.length === 3);
  log.words.push('d');
  await until(() => ingested.length === 4);
  expect(ingested).toEqual(['a', 'b', 'c', 'd']);
});

test('a page with a capture that could not be made durable is read again from its beginning', async () => {
  const log = playedLog();
  log.words.push('a', 'b', 'c');
  const refusals: (HandOverRefusal | null)[] = [null, 'not_durable'];
  const { ingested, polling } = await start(log, { refusal: () => refusals.shift() ?? null });
  await until(() => ingested.length === 4);
  expect(ingested).toEqual(['a', 'a', 'b', 'c']);
  await until(() => polling.trouble() === null);
});

test('polling pauses while the spool is full, but still applies a startpoint', async () => {
  const log = playedLog();
  log.words.push('a');
  const { ingested, polling } = await start(log, { backlog: 10 });
  polling.offer({ number: 1, startpoint: { from: 'begin' } });
  await until(() => polling.startpointApplied() === 1);
  expect([ingested, log.reads()]).toEqual([[], 0]);
});

test('polling counts changes that were gone before it read them, and the count survives a restart', async () => {
  const log = playedLog();
  log.words.push('a', 'b', 'c');
  log.gone = 1;
  const { ingested, polling, dir } = await start(log);
  await until(() => ingested.length === 2 && polling.missed() === 1);
  expect(ingested).toEqual(['b', 'c']);
  expect((await openCheckpoint(path.join(dir, 'missed'))).current()).toBe('1');
});

test('a startpoint is applied once, even if it is offered several times', async () => {
  const log = playedLog();
  log.words.push('a');
  const { ingested, polling } = await start(log);
  await until(() => ingested.length === 1);
  const again = { number: 1, startpoint: { from: 'begin' } } as const;
  polling.offer(again);
  await until(() => ingested.length === 2);
  polling.offer(again);
  log.words.push('b');
  await until(() => ingested.length === 3);
  expect([ingested, polling.startpointApplied()]).toEqual([['a', 'a', 'b'], 1]);
});

test('a startpoint that the source does not know is reported until another is set, and polling continues', async () => {
  const log = playedLog();
  const { ingested, polling } = await start(log);
  const unknown = { number: 1, startpoint: { from: 'cursor', cursor: '4711' } } as const;
  polling.offer(unknown);
  await until(() => polling.trouble() === 'startpoint_unknown');
  log.words.push('a');
  await until(() => ingested.length === 1);
  polling.offer(unknown);
  expect([polling.trouble(), polling.startpointApplied()]).toEqual(['startpoint_unknown', 0]);
  polling.offer({ number: 2, startpoint: { from: 'begin' } });
  await until(() => polling.startpointApplied() === 2);
  await until(() => polling.trouble() === null);
});
