import os from 'node:os';
import path from 'node:path';
import { resolveLocally } from '../connectors/references';
import { log } from '../log';
import { sealCapture } from '../sealing/captures';
import { openApiLink } from './api-link';
import { startDelivery } from './delivery';
import { type IngestCapture, listenForCaptures } from './hand-over/listener';
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
const PACE = { waitMs: { first: 1_000, max: 60_000 }, random: Math.random };
const DELIVERY = { version: '1', pace: { ...PACE, everyMs: 15_000 } };
const POLLING = { maxBacklog: 10_000, pace: { ...PACE, everyMs: 1_000 } };

/**
 * Starts the relay, the process next to a source. A capture that is handed over or polled is sealed for the worker, which
 * alone can open it, and is durable in the spool before the relay answers. The spool is delivered in order; a record is
 * removed once the server has confirmed it.
 */
export async function startRelay(settings: RelaySettings): Promise<RunningRelay> {
  const { relay, source, covers, socket, socketMode } = settings;
  const stops: (() => unknown)[] = [];
  const stop = async () => {
    for (const stopPart of stops.splice(0).reverse()) await stopPart();
  };
  try {
    const lock = await lockSpool(settings.spool);
    stops.push(lock.release);
    const spool = await openSpool(settings.spool, { ...SPOOL, maxBytes: settings.maxBytes });
    stops.push(spool.close);
    const key = await openPinnedKey(settings.spool, settings.signer);
    const link = openApiLink(settings);
    let wake = () => {};
    const ingest = ingestInto(spool, key, settings, () => wake());
    const polling = await poll(settings, spool, ingest);
    if (polling !== null) stops.push(polling.stop);
    const delivery = startDelivery(spool, link, key, {
      ...DELIVERY,
      ...{ host: os.hostname(), covers, polling },
    });
    wake = delivery.wake;
    // Stops run in reverse, so closing the link aborts the batch in progress; the next start sends it again.
    stops.push(delivery.stop, link.close);
    if (socket !== null) stops.push((await listenForCaptures(socket, socketMode, ingest)).close);
    log.info('the relay is up', { relay, source, count: spool.backlog() });
    return { stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Starts the poller of the source; null if the settings name none. */
async function poll(
  { poll: wanted, source, spool: dir }: RelaySettings,
  spool: Spool,
  ingest: IngestCapture,
): Promise<Polling | null> {
  if (wanted === null) return null;
  const checkpointIn = (name: string) => openCheckpoint(path.join(dir, name));
  // The file keeps its first name: under another one, an upgraded relay would start again at the end of the source.
  const checkpoint = await checkpointIn('place');
  const startpointApplied = await checkpointIn('startpoint');
  const missed = await checkpointIn('missed');
  let wake = () => {};
  const tools = { resolve: resolveLocally, checkpoint, wake: () => wake() };
  const poller = await wanted.kind.open(wanted.settings, tools);
  const { backlog } = spool;
  const polling = startPolling(poller, {
    ...POLLING,
    source,
    ingest,
    backlog,
    startpointApplied,
    missed,
  });
  wake = polling.wake;
  return polling;
}

/** Makes the function that accepts a capture: it seals it, appends it to the spool, and only then answers. */
const ingestInto =
  (
    spool: Spool,
    key: PinnedKey,
    { relay, source }: RelaySettings,
    wake: () => void,
  ): IngestCapture =>
  async ({ capturedAt, sequence, ...capture }) => {
    const sealedTo = key.current();
    if (sealedTo === null) return 'no_key';
    const header = { relay, source, capturedAt: capturedAt ?? new Date(), sequence };
    const record = await sealCapture(sealedTo, header, capture);
    try {
      await spool.append(record);
    } catch (error) {
      log.error(
        'the relay refused a capture because it cannot write to the spool: check the disk',
        {
          source,
          error,
        },
      );
      return 'not_durable';
    }
    wake();
    return null;
  };
