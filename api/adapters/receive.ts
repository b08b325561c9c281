import type { KeyObject } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { PullSettings } from '../../model/adapters/settings';
import { openWithSessionKey } from '../../sealing/adapters';
import { callOfAdapter } from '../../store/adapters/connected';
import { type DeliveredMessage, deliverMessages } from '../../store/adapters/messages';
import { type Caller, callerWithKey } from '../../store/api-keys';
import { actorOf } from '../http/actor';
import type { Dependencies } from '../http/dependencies';
import { waitUntil } from '../http/hub';
import { HttpProblem } from '../http/problem';
import { adapterSettings } from './adapter-settings';

export interface Wanted {
  readonly source: string;
  /** Maximum number of messages. */
  readonly most: number;
  readonly waitMs: number;
}

/** Messages that were leased to the adapter, and the key that opens them; null when only the adapter can. */
export interface Received {
  readonly messages: readonly DeliveredMessage[];
  readonly privateKey: KeyObject | null;
}

/**
 * Waits for messages and leases them. Everything is checked again after each wait: the source may be disabled by then, and
 * the API key revoked.
 * @throws HttpProblem if the adapter may not receive anything, or has too many unacknowledged messages
 */
export async function receiveMessages(
  deps: Dependencies,
  caller: Caller,
  { source, most, waitMs }: Wanted,
  gone: AbortSignal,
): Promise<Received> {
  const until = performance.now() + waitMs;
  for (;;) {
    const settings = await adapterSettings(deps, caller, source);
    const received = await takeNow(deps, caller, { source, most, settings });
    const leftMs = until - performance.now();
    const ended = gone.aborted || deps.stopping.aborted || leftMs <= 0;
    if (received.messages.length > 0 || ended) return received;
    await waitUntil(deps.adapters, source, ({ due }) => due, leftMs, [gone, deps.stopping]);
    // Nothing is leased to a client that has disconnected.
    if (gone.aborted) return { messages: [], privateKey: null };
  }
}

async function takeNow(
  { db, adapterSessions }: Dependencies,
  caller: Caller,
  {
    source,
    most,
    settings: { maxPending },
  }: Omit<Wanted, 'waitMs'> & { readonly settings: PullSettings },
): Promise<Received> {
  if ((await callerWithKey(db, caller.keyId)) === null) throw new HttpProblem('unauthenticated');
  const session = await callOfAdapter(db, source, actorOf(caller));
  const privateKey = session && adapterSessions.privateKey(source, session.keyId);
  if (session === null || (privateKey === null && !session.ownKey))
    throw new HttpProblem('adapter_not_initialised');
  const wanted = { source, keyId: session.keyId, most, maxPending, by: actorOf(caller) };
  const messages = await deliverMessages(db, wanted);
  if (messages === 'full') throw new HttpProblem('too_many_pending', {}, { 'retry-after': '1' });
  return { messages, privateKey: session.ownKey ? null : privateKey };
}

/**
 * Writes the answer as bytes, so that no password becomes a string, and zeroes them. A message is complete JSON, which is
 * not read here.
 */
export async function writeMessages(
  response: ServerResponse,
  { messages, privateKey }: Received,
): Promise<void> {
  await write(response, Buffer.from('{"messages":['));
  for (const [index, { id, delivery, leasedUntil, sealed }] of messages.entries()) {
    const known = { trackingId: id, delivery, acknowledgeBy: leasedUntil };
    const head = JSON.stringify({
      ...known,
      ...(privateKey === null && { sealed: sealed.toString('ascii') }),
    });
    await write(response, Buffer.from(`${index === 0 ? '' : ','}${head.slice(0, -1)}`));
    if (privateKey !== null) {
      await write(response, Buffer.from(',"message":'));
      await write(response, await openWithSessionKey(sealed, privateKey));
    }
    await write(response, Buffer.from('}'));
  }
  await write(response, Buffer.from(']}'));
}

/** Resolves when the bytes were handed to the connection, or it has closed; they are zeroed then. */
const write = (response: ServerResponse, bytes: Buffer): Promise<void> =>
  new Promise((resolve) => {
    response.write(bytes, () => {
      bytes.fill(0);
      resolve();
    });
  });
