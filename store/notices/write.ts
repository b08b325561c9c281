import { sql } from 'kysely';
import { type NoticeKind, noticeKinds } from '../../model/notices/kinds';
import type { Database } from '../database';

/**
 * Writes notices. A row is written by the statement that makes the transition which it reports, so no crash
 * loses a notice or invents one. `worker/notices` sends the rows.
 */

/** When a notice of this kind is due: it may be held back for a while. */
const dueAt = (kind: NoticeKind) =>
  sql`now() + make_interval(secs => ${noticeKinds[kind].heldMs / 1000}::double precision)`;

/**
 * Part of a statement that changes the state of sources: reports each source in CTE `changed`.
 * @param reason expression of the reason
 */
export const sourceNotices = (
  kind: 'source_down' | 'source_paused' | 'source_up',
  changed: string,
  reason: ReturnType<typeof sql> = sql`null`,
) => sql`
  insert into notice (kind, subject, detail, due_at)
  select ${kind}, source, jsonb_build_object('reason', ${reason}::text), ${dueAt(kind)}
  from ${sql.ref(changed)}`;

/**
 * Part of a statement that settles accounts: reports to the person that the first account of the change holds the new
 * password. A change causes one such notice.
 * @param settled CTE with the state of each settled account
 */
export const passwordChangedNotice = (changeId: string, settled: 'planned' | 'recorded') => sql`
  insert into notice (kind, key, identity_id, change_id)
  select 'password_changed', 'password_changed:' || c.id, c.identity_id, c.id
  from change c
  where c.id = ${changeId} and exists (select from ${sql.table(settled)} where state = 'applied')
  on conflict (key) do nothing`;

/** Part of a statement that settles accounts: reports parked ones to the operators, once a day for each source. */
export const parkedNotice = (changeId: string) => sql`
  insert into notice (kind, key, change_id, subject, detail)
  select distinct on (o.source) 'change_parked',
         'change_parked:' || o.source || ':' || to_char(now() at time zone 'utc', 'YYYY-MM-DD'),
         o.change_id, o.source, jsonb_build_object('reason', recorded.reason)
  from recorded join outcome o on o.change_id = ${changeId} and o.label = recorded.label
  where recorded.state = 'parked'
  on conflict (key) do nothing`;

/**
 * Part of a statement that ends changes: reports to the person that some accounts do not hold the new password, unless a
 * newer change has replaced it.
 * @param ended CTE with the id and identity of each change that has ended as `partial`
 */
export const incompleteNotice = (ended: string) => sql`
  insert into notice (kind, key, identity_id, change_id)
  select 'password_incomplete', 'password_incomplete:' || id, identity_id, id
  from ${sql.ref(ended)}
  where state = 'partial'
    and exists (select from outcome o where o.change_id = ${sql.ref(`${ended}.id`)}
                and o.state in ('rejected', 'expired'))
  on conflict (key) do nothing`;

/**
 * Writes the notice by which an operator tests a channel.
 * @param recipient the mail address that gets it; null for the recipients of the channel
 * @returns its id
 */
export async function writeTestNotice(
  db: Database,
  channel: string,
  recipient: string | null,
): Promise<string> {
  const { id } = await db
    .insertInto('notice')
    .values({ kind: 'test', subject: channel, detail: JSON.stringify({ recipient }) })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}
