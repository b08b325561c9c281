import { sql } from 'kysely';
import type { Database } from '../database';

/**
 * Finds what no statement reports: what has lasted for too long, or is about to end. Every time is by the clock of the
 * database. The key of each notice makes sure that it is written once.
 */
export async function watchForNotices(db: Database): Promise<void> {
  for (const statement of [silentRelays, heardRelays, reminders, unstableSources, endingKeys])
    await statement.execute(db);
}

/** A relay contacts the API every 15 seconds. */
const SILENT_AFTER = sql`interval '15 minutes'`;

const silentRelays = sql`
  insert into notice (kind, key, subject, detail, created_at)
  select 'relay_silent', 'relay_silent:' || r.id || ':' || extract(epoch from coalesce(r.heard_at, r.created_at)),
         r.id, jsonb_build_object('about', r.source), coalesce(r.heard_at, r.created_at)
  from relay r join api_key k on k.id = r.api_key_id
  where k.revoked_at is null and coalesce(r.heard_at, r.created_at) < now() - ${SILENT_AFTER}
  on conflict (key) do nothing`;

/** Of each relay whose newest notice is that it is silent, and that was heard since. */
const heardRelays = sql`
  insert into notice (kind, key, subject, detail, created_at)
  select 'relay_heard', 'relay_heard:' || n.id, r.id, jsonb_build_object('about', r.source), r.heard_at
  from relay r join lateral (
    select id, kind, created_at from notice
    where subject = r.id and kind in ('relay_silent', 'relay_heard') order by number desc limit 1) n on true
  where n.kind = 'relay_silent' and r.heard_at > n.created_at and r.heard_at > now() - ${SILENT_AFTER}
  on conflict (key) do nothing`;

/** Repeats, once a day, what was sent about a source that is still down or paused, or a relay that is still silent. */
const reminders = sql`
  insert into notice (kind, key, subject, reminder, detail, created_at)
  select n.kind, 'reminder:' || n.id, n.subject, true, n.detail, n.created_at
  from (select distinct on (subject) id, kind, subject, detail, created_at, due_at, state from notice
        where kind in ('source_down', 'source_paused', 'source_up', 'relay_silent', 'relay_heard')
        order by subject, number desc) n
  where n.kind in ('source_down', 'source_paused', 'relay_silent') and n.state in ('sending', 'sent')
    and n.due_at < now() - interval '1 day'
    and (exists (select from source_state s where s.source = n.subject)
         or exists (select from relay r join api_key k on k.id = r.api_key_id
                    where r.id = n.subject and k.revoked_at is null))
  on conflict (key) do nothing`;

/** A source that goes down for moments only causes no notice of its outages, but one a day of this kind. */
const unstableSources = sql`
  insert into notice (kind, key, subject)
  select 'source_unstable', 'source_unstable:' || subject || ':' || to_char(now() at time zone 'utc', 'YYYY-MM-DD'),
         subject
  from notice
  where kind = 'source_down' and state = 'withdrawn' and created_at > now() - interval '1 hour'
  group by subject having count(*) >= 5
  on conflict (key) do nothing`;

/**
 * Two weeks, and again one day, before a key ends. A key that lives for less than twice that time is short-lived on
 * purpose.
 */
const endingKeys = sql`
  insert into notice (kind, key, subject, detail)
  select 'key_ending', 'key_ending:' || k.id || ':' || early.days,
         k.id, jsonb_build_object('about', k.name, 'endsAt', k.expires_at)
  from api_key k cross join (values (14), (1)) as early (days)
  where k.revoked_at is null and k.expires_at > now()
    and k.expires_at < now() + make_interval(days => early.days)
    and k.expires_at - k.created_at > 2 * make_interval(days => early.days)
  on conflict (key) do nothing`;

/** Reports that the master key `keyId` has no backup, once a week. */
export async function noteUnsavedMasterKey(db: Database, keyId: string): Promise<void> {
  await sql`
    insert into notice (kind, key, subject)
    values ('master_key_unsaved', 'master_key_unsaved:' || ${keyId}::text || ':' || to_char(now() at time zone 'utc', 'IYYY-IW'),
            ${keyId})
    on conflict (key) do nothing`.execute(db);
}

/** For how long a notice is kept after it was written. */
const KEPT = '30 days';

/** Deletes notices that have ended, and former addresses that are no longer used. */
export async function forgetNotices(db: Database): Promise<void> {
  await sql`
    delete from notice where state in ('sent', 'withdrawn') and created_at < now() - ${KEPT}::interval
      and due_at < now() - ${KEPT}::interval
      -- Its key keeps a reminder from being written again before the password expires.
      and not (kind = 'password_expiring' and (detail ->> 'endsAt')::timestamptz > now())`.execute(
    db,
  );
  await sql`delete from former_address where replaced_at < now() - ${KEPT}::interval`.execute(db);
}
