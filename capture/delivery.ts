import { log } from '../log';
import type { Position } from '../model/captures/batch';
import { readHeader } from '../sealing/captures';
import { type ApiLink, type BatchAnswer, BatchRejected } from './api-link';
import type { PinnedKey } from './pinned-key';
import type { Polling } from './polling/loop';
import { type Pace, type RetryLoop, startRetryLoop } from './retry-loop';
import type { Chunk, Spool } from './spool/spool';

export interface DeliveryOptions {
  /** Version of the relay, which the api shows to operators. */
  readonly version: string;
  /** Interval between two batches; an empty batch is a heartbeat. */
  readonly pace: Pace;
  /** Name of the machine that the relay runs on. */
  readonly host: string;
  /** Whether the relay captures changes made on this machine only, or all changes of the source. */
  readonly covers: 'host' | 'source';
  /** Null if the relay polls no source. */
  readonly polling: Pick<Polling, 'offer' | 'startpointApplied' | 'missed' | 'trouble'> | null;
}

/**
 * Delivers the records of the spool to the api, one batch at a time, and retries without limit. It relies only on timers of
 * the process and on numbers that the server keeps, so a wrong or jumping clock of this machine does no harm.
 */
export function startDelivery(
  spool: Spool,
  link: ApiLink,
  key: PinnedKey,
  { version, pace, host, covers, polling }: DeliveryOptions,
): RetryLoop {
  let request = 0;
  /** Whether the server has reported its cursor since this process started. */
  let oriented = false;

  /** @returns whether there is more to deliver at once */
  async function deliver(): Promise<boolean> {
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
    await apply(answer);
    if (chunk !== null && !isEndOf(chunk, answer.cursor)) throw new BatchRejected('no_progress');
    return first || spool.backlog() > 0;
  }
  async function apply({ result, cursor, ...answer }: BatchAnswer): Promise<void> {
    request = Math.max(request, answer.request);
    if (answer.key !== null) await key.offer(answer.key);
    if (answer.startpoint !== null) polling?.offer(answer.startpoint);
    await spool.acknowledge(cursor);
    oriented = true;
    if (result !== 'taken') throw new BatchRejected(result);
  }
  return startRetryLoop(
    {
      once: deliver,
      recovered: (failures) => log.info('the relay delivers captures again', { attempt: failures }),
      failed(error, failures) {
        const { code } = error as { code?: unknown };
        log.warn('the relay cannot deliver captures now; it keeps them and retries', {
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
