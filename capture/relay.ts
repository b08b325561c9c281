import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { log } from '../log';
import { sealCapture } from '../sealing/captures';
import { openApiLink } from './api-link';
import { startDelivery } from './delivery';
import { listenForCaptures, type Take } from './hand-over/listener';
import { openPinnedKey } from './pinned-key';
import type { RelaySettings } from './settings';
import { openSpool } from './spool/spool';

export interface RunningRelay {
  stop(): Promise<void>;
}

const VERSION = '1';

const SPOOL = { segmentBytes: 1024 * 1024, chunkRecords: 100, chunkBytes: 256 * 1024 };
const DELIVERY = { everyMs: 15_000, waitMs: { first: 1_000, most: 60_000 } };

/**
 * The process beside a source: what is handed over is sealed to a worker, which alone can open it, and durable before the
 * answer. It is delivered from the spool, in its order, until the server says that it has it.
 */
export async function startRelay(settings: RelaySettings): Promise<RunningRelay> {
  const { relay, source, maxBytes, socket, socketMode } = settings;
  const spool = await openSpool(settings.spool, { ...SPOOL, maxBytes });
  const key = await openPinnedKey(settings.spool, settings.signer);
  const link = openApiLink(settings);
  const delivery = startDelivery(spool, link, key, {
    ...DELIVERY,
    version: VERSION,
    random: Math.random,
  });

  const take: Take = async ({ account, password, current, capturedAt, sequence }) => {
    const sealedTo = key.current();
    if (sealedTo === null) return 'no_key';
    const header = { relay, source, capturedAt: capturedAt ?? new Date(), sequence };
    const passwords = { next: password, current };
    const record = await sealCapture(sealedTo, header, { account, passwords });
    try {
      await spool.append(record);
    } catch (error) {
      log.error('a capture is refused: it cannot be made durable', { source, error });
      return 'not_durable';
    }
    delivery.wake();
    return null;
  };

  await mkdir(path.dirname(socket), { recursive: true, mode: 0o700 });
  const listener = await listenForCaptures(socket, socketMode, take);
  log.info('the relay is up', { relay, source, count: spool.backlog() });
  return {
    async stop() {
      await listener.close();
      await delivery.stop();
      link.close();
      await spool.close();
    },
  };
}
