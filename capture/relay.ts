import os from 'node:os';
import path from 'node:path';
import { resolveReference } from '../config';
import { log } from '../log';
import { sealCapture } from '../sealing/captures';
import { openApiLink } from './api-link';
import { startDelivery } from './delivery';
import { listenForCaptures, type Take } from './hand-over/listener';
import { openPinnedKey, type PinnedKey } from './pinned-key';
import { openCheckpoint } from './polling/checkpoint';
import { type Polling, startPolling } from './polling/loop';
import type { RelaySettings } from './settings';
import { lockSpool } from './spool/lock';
import { openSpool, type Spool } from './spool/spool';

export interface RunningRelay {
  stop(): Promise<void>;
}

const SPOOL = { segmentBytes: 1024 * 1024, chunkRecords: 100, chunkBytes: 256 * 1024 };
const PACE = { waitMs: { first: 1_000, most: 60_000 }, random: Math.random };
const DELIVERY = { version: '1', pace: { ...PACE, everyMs: 15_000 } };
const POLLING = { mostWaiting: 10_000, pace: { ...PACE, everyMs: 1_000 } };

/**
 * The process beside a source: what is handed over, or read there, is sealed to a worker, which alone can open it, and durable
 * before the answer. It is delivered from the spool, in its order, until the server says that it has it.
 */
export async function startRelay(settings: RelaySettings): Promise<RunningRelay> {
  const { relay, source, covers, socket, socketMode } = settings;
  const stops: (() => unknown)[] = [];
  const stop = async () => {
    for (const one of stops.splice(0).reverse()) await one();
  };
  try {
    const lock = await lockSpool(settings.spool);
    stops.push(lock.release);
    const spool = await openSpool(settings.spool, { ...SPOOL, maxBytes: settings.maxBytes });
    stops.push(spool.close);
    const key = await openPinnedKey(settings.spool, settings.signer);
    const link = openApiLink(settings);
    let wake = () => {};
    const take = takeInto(spool, key, settings, () => wake());
    const polling = await poll(settings, spool, take);
    if (polling !== null) stops.push(polling.stop);
    const delivery = startDelivery(spool, link, key, {
      ...DELIVERY,
      ...{ host: os.hostname(), covers, polling },
    });
    wake = delivery.wake;
    // What is under way is not waited for: it is sent again.
    stops.push(delivery.stop, link.close);
    if (socket !== null) stops.push((await listenForCaptures(socket, socketMode, take)).close);
    log.info('the relay is up', { relay, source, count: spool.backlog() });
    return { stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Null where nothing is read. */
async function poll(
  { poll: wanted, source, spool: dir }: RelaySettings,
  spool: Spool,
  take: Take,
): Promise<Polling | null> {
  if (wanted === null) return null;
  const checkpointIn = (name: string) => openCheckpoint(path.join(dir, name));
  const place = await checkpointIn('place');
  const startpointApplied = await checkpointIn('startpoint');
  const missed = await checkpointIn('missed');
  let wake = () => {};
  const tools = { resolve: resolveReference, place, wake: () => wake() };
  const poller = await wanted.kind.open(wanted.settings, tools);
  const { backlog } = spool;
  const polling = startPolling(poller, {
    ...POLLING,
    source,
    take,
    backlog,
    startpointApplied,
    missed,
  });
  wake = polling.wake;
  return polling;
}

/** Sealed, then durable, then answered. */
const takeInto =
  (spool: Spool, key: PinnedKey, { relay, source }: RelaySettings, wake: () => void): Take =>
  async ({ capturedAt, sequence, ...capture }) => {
    const sealedTo = key.current();
    if (sealedTo === null) return 'no_key';
    const header = { relay, source, capturedAt: capturedAt ?? new Date(), sequence };
    const record = await sealCapture(sealedTo, header, capture);
    try {
      await spool.append(record);
    } catch (error) {
      log.error('a capture is refused: it cannot be made durable', { source, error });
      return 'not_durable';
    }
    wake();
    return null;
  };
