import { sql } from 'kysely';
import type { Database } from '../database';

/**
 * Channels whose receiver answered that it no longer exists. Nothing is sent to a closed channel until its settings
 * change or a test of it succeeds.
 */

type Settings = Readonly<Record<string, unknown>>;

/** Closes a channel, with an audit record. */
export async function closeChannel(
  db: Database,
  channel: string,
  settings: Settings,
): Promise<void> {
  await sql`
    with closed as (
      insert into closed_channel (channel, settings) values (${channel}, ${JSON.stringify(settings)}::jsonb)
      on conflict (channel) do update set settings = excluded.settings, closed_at = now()
      where closed_channel.settings <> excluded.settings
      returning channel
    )
    insert into audit (actor, action, subject) select 'worker', 'notice.channel-closed', channel from closed`.execute(
    db,
  );
}

export async function reopenChannel(db: Database, channel: string): Promise<void> {
  await db.deleteFrom('closed_channel').where('channel', '=', channel).execute();
}

/** When the channel with these settings was closed; null when it is open. */
export async function closedSince(
  db: Database,
  channel: string,
  settings: Settings,
): Promise<Date | null> {
  const { rows } = await sql<{ closedAt: Date }>`
    select closed_at as "closedAt" from closed_channel
    where channel = ${channel} and settings = ${JSON.stringify(settings)}::jsonb`.execute(db);
  return rows[0]?.closedAt ?? null;
}
