import { sql } from 'kysely';
import { ONLINE_SECONDS } from '../../model/adapters/message';
import type { AdapterKey } from '../../sealing/adapters';
import { writeAudit } from '../audit';
import type { Database } from '../database';
import { channels } from '../notifications';
import { reopenSource } from '../sources/state';

/** Whether and how adapters are connected. */

/** Whether the adapter in this table of a statement counts as connected. */
const isOnlineIn = (table: string) => {
  const adapter = sql.id(table);
  return sql<boolean>`(${adapter}.online and ${adapter}.seen_at > now() - make_interval(secs => ${sql.lit(ONLINE_SECONDS)}))`;
};

/** Whether adapter `a` counts as connected. */
export const isOnline = isOnlineIn('a');

export interface AdapterView {
  readonly source: string;
  readonly online: boolean;
  /** Whether messages are sealed to a key of the adapter itself. */
  readonly ownKey: boolean;
  readonly initialisedAt: Date;
  readonly seenAt: Date;
  /** Messages that were delivered and are not acknowledged. */
  readonly pending: number;
}

export async function readAdapter(db: Database, source: string): Promise<AdapterView | null> {
  const { rows } = await sql<AdapterView>`
    select a.source, ${isOnline} as online, a.own_key as "ownKey", a.initialised_at as "initialisedAt",
           a.seen_at as "seenAt",
           (select count(*)::int from adapter_message m
            where m.source = a.source and m.settled_at is null and m.deliveries > 0) as pending
    from adapter a where a.source = ${source}`.execute(db);
  return rows[0] ?? null;
}

/**
 * Connects an adapter, or connects it again: from now on messages are sealed to this key, and those that it has not
 * acknowledged are delivered at once. A message that is sealed to another key has its account tried again, so that a
 * worker seals it to this one.
 * @returns how many messages are not acknowledged
 */
export async function initialiseAdapter(
  db: Database,
  source: string,
  key: AdapterKey & { readonly own: boolean },
  by: string,
): Promise<number> {
  const unacknowledged = await db.transaction().execute(async (trx) => {
    await sql`
      insert into adapter (source, key_id, public_key, own_key, online_since)
      values (${source}, ${key.id}, ${JSON.stringify(key.publicKey)}, ${key.own}, now())
      on conflict (source) do update
      set key_id = excluded.key_id, public_key = excluded.public_key, own_key = excluded.own_key,
          online_since = case when ${isOnlineIn('adapter')} then coalesce(adapter.online_since, now()) else now() end,
          online = true, initialised_at = now(), seen_at = now()`.execute(trx);
    const { rows } = await sql<{ keyId: string; changeId: string; label: string }>`
      update adapter_message set leased_until = now()
      where source = ${source} and settled_at is null and deliveries > 0
      returning key_id as "keyId", change_id as "changeId", label`.execute(trx);
    await retryAccounts(
      trx,
      rows.filter(({ keyId }) => keyId !== key.id),
    );
    await writeAudit(trx, {
      actor: by,
      action: 'adapter.initialised',
      subject: source,
      detail: { source, ownKey: key.own, unacknowledged: rows.length },
    });
    await notifyMessages(trx, source);
    return rows.length;
  });
  await reopenSource(db, source, 'down', by);
  return unacknowledged;
}

/** Has accounts that wait tried again at once. */
export async function retryAccounts(
  trx: Database,
  accounts: readonly { readonly changeId: string; readonly label: string }[],
): Promise<void> {
  if (accounts.length === 0) return;
  await sql`
    with retried as (
      insert into command (change_id, kind, label, requested_by)
      select o.change_id, 'retry', o.label, 'worker'
      from unnest(${accounts.map(({ changeId }) => changeId)}::text[],
                  ${accounts.map(({ label }) => label)}::text[]) as wanted (change_id, label)
        join outcome o on o.change_id = wanted.change_id and o.label = wanted.label
      where o.state = 'waiting' returning change_id
    )
    select pg_notify(${channels.commanded}, change_id) from retried`.execute(trx);
}

/** Wakes the calls of receive that wait for a message to the adapter of a source. */
export const notifyMessages = (trx: Database, source: string) =>
  sql`select pg_notify(${channels.message}, ${source})`.execute(trx);

/** Records the status that an adapter reports. @returns false when it has never initialised */
export async function reportStatus(
  db: Database,
  source: string,
  status: 'online' | 'offline',
  by: string,
): Promise<boolean> {
  const online = status === 'online';
  const { rows } = await sql<{ was: boolean }>`
    with before as (select source, ${isOnline} as was from adapter a where source = ${source} for update),
    audited as (
      insert into audit (actor, action, subject, detail)
      select ${by}, ${`adapter.${status}`}, source, jsonb_build_object('source', source) from before where was <> ${online}
    )
    update adapter set online = ${online}, seen_at = now(),
      online_since = case when ${online} and not was then now() else online_since end
    from before
    where adapter.source = before.source returning was`.execute(db);
  if (rows.length === 0) return false;
  if (online) await reopenSource(db, source, 'down', by);
  return true;
}

/** The key of the session of an adapter; null when it has never initialised. The call shows that the adapter is online. */
export async function callOfAdapter(
  db: Database,
  source: string,
  by: string,
): Promise<{ readonly keyId: string; readonly ownKey: boolean } | null> {
  const { rows } = await sql<{ keyId: string; ownKey: boolean; was: boolean }>`
    with before as (select source, ${isOnline} as was from adapter a where source = ${source} for update)
    update adapter set online = true, seen_at = now(), received_at = now(),
      online_since = case when was then online_since else now() end
    from before
    where adapter.source = before.source
    returning key_id as "keyId", own_key as "ownKey", was`.execute(db);
  const [row] = rows;
  if (row === undefined) return null;
  if (!row.was) await reopenSource(db, source, 'down', by);
  return row;
}

/** Records that an adapter works, for example on a large batch. One that has gone offline stays so. */
export async function noteCall(db: Database, source: string): Promise<void> {
  await sql`update adapter set seen_at = now() where source = ${source} and online`.execute(db);
}
