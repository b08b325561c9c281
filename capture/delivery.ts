import { log } from '../log';
import type { Position } from '../model/captures/batch';
import { readHeader } from '../sealing/captures';
import { type ApiLink, type BatchAnswer, BatchRejected } from './api-link';
import type { PinnedKey } from './pinned-key';
import type { Polling } from './polling/loop';
import { type Pace, type Repeated, repeat } from './retry-loop';
import type { Chunk, Spool } from './spool/spool';

export interface DeliveryOptions {
  readonly version: string;
  /** So often it says that it is there, with captures or without. */
  readonly pace: Pace;
  readonly host: string;
  readonly covers: 'host' | 'source';
  /** Null where nothing is read. */
  readonly polling: Pick<Polling, 'offer' | 'startpointApplied' | 'missed' | 'trouble'> | null;
}

/**
 * Brings what is in the spool to the api, one batch after the other, as long as it takes. Only the timers of the process
 * are used, and numbers that the server keeps: nothing depends on the clock of this machine being right, or going forward.
 */
export function startDelivery(
  spool: Spool,
  link: ApiLink,
  key: PinnedKey,
  { version, pace, host, covers, polling }: DeliveryOptions,
): Repeated {
  let request = 0;
  /** Where the server is was asked. */
  let oriented = false;

  /** @returns whether there is more to bring */
  async function bring(): Promise<boolean> {
    const chunk = oriented ? await spool.next() : null;
    request = Math.max(request + 1, Date.now());
    const answer = await link.send({
      request,
      sentAt: new Date().toISOString(),
      version,
      backlog: spool.backlog(),
      oldestAt: oldestIn(chunk),
      quarantined: spool.quarantined(),
      ...{ host, covers },
      ...(polling === null ? {} : { reading: readingOf(polling) }),
      ...(chunk === null ? nothing : { ...chunk, records: chunk.records.map(textOf) }),
    });
    const first = !oriented;
    await understand(answer);
    if (chunk !== null && !isEndOf(chunk, answer.cursor)) throw new BatchRejected('no_progress');
    return first || spool.backlog() > 0;
  }
  async function understand({ result, cursor, ...answer }: BatchAnswer): Promise<void> {
    request = Math.max(request, answer.request);
    if (answer.key !== null) await key.offer(answer.key);
    if (answer.startpoint !== null) polling?.offer(answer.startpoint);
    await spool.takenIn(cursor);
    oriented = true;
    if (result !== 'taken') throw new BatchRejected(result);
  }
  return repeat(
    {
      once: bring,
      recovered: (failures) => log.info('captures are delivered again', { attempt: failures }),
      failed(error, failures) {
        const { code } = error as { code?: unknown };
        log.warn('captures cannot be delivered now; they are kept', {
          ...{ attempt: failures, count: spool.backlog() },
          ...(typeof code === 'string' ? { code } : {}),
        });
      },
    },
    pace,
  );
}

const readingOf = ({
  trouble,
  startpointApplied,
  missed,
}: NonNullable<DeliveryOptions['polling']>) => ({
  trouble: trouble(),
  startpointApplied: startpointApplied(),
  missed: missed(),
});

const nothing = { segment: null, follows: null, from: 1, records: [] };

const textOf = (record: Buffer | null): string | null => record?.toString('latin1') ?? null;

const isEndOf = ({ segment, from, records }: Chunk, cursor: Position | null): boolean =>
  cursor?.segment === segment && cursor.position === from + records.length - 1;

function oldestIn(chunk: Chunk | null): string | null {
  const first = chunk?.records.find((record) => record !== null);
  const read = first == null ? null : readHeader(first.toString('latin1'));
  return read?.header.capturedAt.toISOString() ?? null;
}
