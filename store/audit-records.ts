import { type RawBuilder, sql } from 'kysely';
import type { AuditRecord } from '../model/audit/record';
import type { Database } from './database';

/** Which audit records are wanted; null: any. */
export interface AuditFilter {
  /** The name of a person, or the id of one whose name is gone. */
  readonly person: string | null;
  readonly source: string | null;
  /** An action, such as `api-key.created`, or the first part of one, such as `api-key`. */
  readonly action: string | null;
  /** The id or name of an API key, its agent, the id of a relay, `worker` or `lockstep`. */
  readonly actor: string | null;
  readonly change: string | null;
  readonly since: Date | null;
  readonly until: Date | null;
}

export const anyRecord: AuditFilter = {
  ...{ person: null, source: null, action: null, actor: null, change: null },
  ...{ since: null, until: null },
};

export interface AuditPage {
  readonly filter: AuditFilter;
  /**
   * `newest`: the newest record first, also those that are not chained yet; the cursor is the id of a record.
   * `oldest`: in the order of the chain, so that a reader who follows misses none; the cursor is a position. An id does
   * not serve there, because a transaction with a lower id may commit later.
   */
  readonly order: 'newest' | 'oldest';
  readonly cursor: number | null;
  readonly limit: number;
}

export interface FoundRecord extends AuditRecord {
  readonly id: number;
}

/** Reads audit records with the names of what they are about, as far as their rows still exist. */
export async function readAudit(
  db: Database,
  { filter, order, cursor, limit }: AuditPage,
): Promise<FoundRecord[]> {
  const oldest = order === 'oldest';
  const { rows } = await sql<FoundRecord>`
    select * from (${namedRecords(filter.person)}) e
    where ${matches(filter)}
      and ${oldest ? sql`position > ${cursor ?? 0}::bigint` : sql`(${cursor}::bigint is null or id < ${cursor}::bigint)`}
    order by ${oldest ? sql`position` : sql`id desc`} limit ${limit}`.execute(db);
  return rows;
}

/** The position of the newest chained record; 0 before the first. */
export async function newestPosition(db: Database): Promise<number> {
  const { rows } = await sql<{ position: number }>`
    select coalesce(max(position), 0) as position from audit`.execute(db);
  return rows[0]?.position ?? 0;
}

const matches = ({ source, action, actor, change, since, until }: AuditFilter) => sql`
  (${source}::text is null or source = ${source})
  and (${action}::text is null or action = ${action} or starts_with(action, ${action} || '.'))
  and (${actor}::text is null or ${actor} in (actor ->> 'id', substr(actor ->> 'id', 9), actor ->> 'name', actor ->> 'agent'))
  and (${change}::text is null or change = ${change})
  and (${since}::timestamptz is null or at >= ${since})
  and (${until}::timestamptz is null or at < ${until})`;

/** Only the records about one person, by every id that ever stood for this person. */
function aboutPerson(person: string | null): RawBuilder<unknown> {
  if (person === null) return sql``;
  return sql`
    where a.id in (
      with who as (
        select id from identity where name = ${person} union select ${person}
      ), subject as (
        select id from who
        union select id from account where identity_id in (select id from who)
        union select id from mapping where identity_id in (select id from who)
        union select subject from audit
          where detail ? 'identity' and detail ->> 'identity' in (select id from who) and subject is not null
      )
      select id from audit where change_id in (select id from change where identity_id in (select id from who))
      union select id from audit where subject in (select id from subject)
      union select id from audit where detail ? 'identity' and detail ->> 'identity' in (select id from who))`;
}

const namedRecords = (person: string | null) => sql`
  select a.id, a.position, a.at, a.action, a.change_id as change, a.subject, a.detail,
         json_build_object('id', a.actor, 'name', coalesce(actor_key.name, actor_relay.source),
                           'agent', actor_key.agent, 'issuer', actor_key.issuer) as actor,
         coalesce(c.identity_name, i.name, a.detail ->> 'person') as person,
         coalesce(o.source, acc.source, linked.source, relay.source, pushed.source, a.detail ->> 'source',
                  case when a.action like 'source.%' or a.action like 'captures.%' then a.subject end) as source,
         coalesce(o.account_name, acc.name, linked.name, pushed.user_name, a.detail ->> 'account') as account,
         coalesce(key.name, relay.source, m.application) as "subjectName"
  from audit a
  left join api_key actor_key on a.actor = 'api-key:' || actor_key.id
  left join relay actor_relay on a.actor = actor_relay.id
  left join change c on c.id = a.change_id
  left join outcome o on o.change_id = a.change_id and o.label = a.subject
  left join account acc on acc.id = coalesce(o.account_id, a.subject)
  left join mapping m on m.id = a.subject
  left join account linked on linked.id = m.account_id
  left join identity i
    on i.id = coalesce(a.detail ->> 'identity', acc.identity_id, m.identity_id, a.subject)
  left join api_key key on key.id = a.subject
  left join relay on relay.id = a.subject
  left join scim_user pushed on pushed.id = a.subject
  ${aboutPerson(person)}`;
