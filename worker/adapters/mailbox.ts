import { jsonBytes } from '../../connectors/http/body';
import type { Mailbox, MessageStatus, PullMessage } from '../../connectors/mailbox';
import { type AdapterKey, sealToAdapter } from '../../sealing/adapters';
import { readAdapter } from '../../store/adapters/connected';
import type { Database } from '../../store/database';
import { channels, listen } from '../../store/notifications';
import {
  endRetriedMessage,
  forgetMessages,
  type MessageOf,
  newMessageId,
  putMessage,
  readMessage,
  type StoredMessage,
  sweepMessages,
  withdrawMessage,
} from '../../store/worker/adapter-messages';
import { startLoop } from '../loop';

export interface Mailboxes {
  /** The mailbox of one source. */
  readonly of: (source: string) => Mailbox;
  stop(): Promise<void>;
}

const FORGET_EVERY_MS = 600_000;

/** A write waits this long for its acknowledgement. A later one wakes the account. */
const ACKNOWLEDGED_WITHIN_MS = 5_000;

/** Opens the messages to adapters, and starts the loops that end them. */
export async function openMailboxes(
  db: Database,
  databaseUrl: string,
  acknowledgedWithinMs = ACKNOWLEDGED_WITHIN_MS,
): Promise<Mailboxes> {
  const waiting = new Map<string, Set<() => void>>();
  const wake = (id: string | null) => {
    const woken = id === null ? [...waiting.values()] : [waiting.get(id) ?? []];
    for (const end of woken.flatMap((ends) => [...ends])) end();
  };
  const listener = await listen(databaseUrl, [channels.settled], (_channel, id) => wake(id));
  const loops = [
    startLoop({ name: 'adapter messages', everyMs: 1_000 }, async () => {
      await sweepMessages(db);
      return false;
    }),
    startLoop({ name: 'old adapter messages', everyMs: FORGET_EVERY_MS }, async () => {
      await forgetMessages(db);
      return false;
    }),
  ];

  const waitForResult = (id: string, waitMs: number): Promise<void> =>
    new Promise((resolve) => {
      const others = waiting.get(id) ?? new Set();
      const end = () => {
        clearTimeout(timer);
        others.delete(end);
        if (others.size === 0 && waiting.get(id) === others) waiting.delete(id);
        resolve();
      };
      const timer = setTimeout(end, waitMs);
      waiting.set(id, others.add(end));
    });

  return {
    of: (source) => ({
      acknowledgedWithinMs,
      put: (message) => put(db, source, message),
      waitForResult,
      withdraw: (id) => withdrawMessage(db, id),
      adapter: () => readAdapter(db, source),
    }),
    async stop() {
      await listener.close();
      await Promise.all(loops.map((loop) => loop.stop()));
      wake(null);
    },
  };
}

async function put(db: Database, source: string, message: PullMessage): Promise<MessageStatus> {
  const of = { source, ...message.of };
  const stored = await readMessage(db, of, message.maxAgeSeconds);
  const status = statusOf(stored);
  if (status === 'to_be_sealed' && stored?.adapter != null) {
    await store(db, of, message, { ...stored, adapter: stored.adapter });
    const written = statusOf(await readMessage(db, of, message.maxAgeSeconds));
    return typeof written === 'object' ? written : { status: 'replaced' };
  }
  return typeof status === 'object' ? concluded(db, status, stored?.message?.id ?? null) : offline;
}

const offline = { status: 'offline' } as const;

async function store(
  db: Database,
  of: MessageOf,
  message: PullMessage,
  { adapter, message: earlier, expiresAt }: StoredMessage & { readonly adapter: AdapterKey },
): Promise<void> {
  const id = earlier?.id ?? newMessageId();
  const sealed = await sealToAdapter(adapter, bytesOf(id, message));
  const { mostDeliveries, leaseSeconds } = message;
  const keyId = adapter.id;
  await putMessage(db, { ...of, id, keyId, sealed, mostDeliveries, leaseSeconds, expiresAt });
}

/** Deletes a message that its status ends, so that the next attempt begins with a new one. */
async function concluded(
  db: Database,
  status: MessageStatus,
  id: string | null,
): Promise<MessageStatus> {
  if (id === null) return status;
  if (status.status === 'settled' && status.result === 'retry') await endRetriedMessage(db, id);
  if (status.status === 'offline' && !(await withdrawMessage(db, id)))
    return { status: 'delivered', id };
  return status;
}

/** What the stored message says; `to_be_sealed` when there is none, or it is not sealed to the present key. */
function statusOf(stored: StoredMessage | null): MessageStatus | 'to_be_sealed' {
  if (stored === null) return { status: 'replaced' };
  const { adapter, message, tooOld, behind } = stored;
  if (message !== null && message.result !== null) {
    const { result, reason, vendorCode, retryAfterMs } = message;
    return { status: 'settled', result, reason, vendorCode, retryAfterMs };
  }
  if (tooOld && message === null)
    return {
      ...{ status: 'settled', result: 'too_old' },
      ...{ reason: null, vendorCode: null, retryAfterMs: null },
    };
  const delivered = message !== null && message.deliveries > 0;
  // A message that was delivered may have been carried out, so it stays until the adapter is back.
  if (adapter?.online !== true)
    return delivered ? { status: 'delivered', id: message.id } : { status: 'offline' };
  if (message === null || !message.isSealed || message.keyId !== adapter.id) return 'to_be_sealed';
  if (delivered) return { status: 'delivered', id: message.id };
  return { status: 'queued', id: message.id, behind };
}

/** The message as the adapter reads it. All of it is sealed, so that parts of several messages cannot be combined. */
const bytesOf = (id: string, { account, password, oldPassword }: PullMessage): Buffer =>
  jsonBytes({ trackingId: id, operation: 'setPassword', account, password, oldPassword });
