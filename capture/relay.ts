import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { log } from '../log';
import { sealCapture } from '../sealing/captures';
import { openApiLink } from './api-link';
import { startDelivery } from './delivery';
import { listenForCaptures, type Take } from './hand-over/listener';
import { openPinnedKey, type PinnedKey } from './pinned-key';
import type { RelaySettings } from './settings';
import { lockSpool } from './spool/lock';
import { openSpool, type Spool } from './spool/spool';

export interface RunningRelay {
  stop(): Promise<void>;
}

const SPOOL = { segmentBytes: 1024 * 1024, chunkRecords: 100, chunkBytes: 256 * 1024 };
const DELIVERY = {
  version: '1',
  everyMs: 15_000,
  waitMs: { first: 1_000, most: 60_000 },
  random: Math.random,
};

/**
 * The process beside a source: what is handed over is sealed to a worker, which alone can open it, and durable before the
 * answer. It is delivered from the spool, in its order, until the server says that it has it.
 */
export async function startRelay(settings: RelaySettings): Promise<RunningRelay> {
  const { relay, source, socket, socketMode } = settings;
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
    const delivery = startDelivery(spool, link, key, DELIVERY);
    // What is under way is not waited for: it is sent again.
    stops.push(delivery.stop, link.close);
    const take = takeInto(spool, key, settings, delivery.wake);
    await mkdir(path.dirname(socket), { recursive: true, mode: 0o700 });
    const listener = await listenForCaptures(socket, socketMode, take);
    stops.push(listener.close);
    log.info('the relay is up', { relay, source, count: spool.backlog() });
    return { stop };
  } catch (error) {
    await stop();
    throw error;
  }
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
