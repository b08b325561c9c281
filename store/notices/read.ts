import { sql } from 'kysely';
import type { NoticeKind } from '../../model/notices/kinds';
import type { DeliveryReason } from '../../model/notices/retry';
import type { DeliveryState } from '../../model/notices/states';
import type { Database } from '../database';

export interface DeliveryView {
  readonly id: string;
  readonly channel: string;
  readonly state: DeliveryState;
  readonly reason: DeliveryReason | null;
  readonly attempts: number;
  readonly nextTryAt: Date | null;
  readonly updatedAt: Date;
}

/**
 * A notice as the API shows it.
 * - `new`: it is held back, or no worker has looked at it yet.
 * - `sending`: at least one delivery waits.
 * - `sent`: every delivery has ended.
 * - `withdrawn`: it reported nothing new, or no channel takes it.
 */
export interface NoticeView {
  readonly id: string;
  readonly number: number;
  readonly kind: NoticeKind;
  readonly state: 'new' | 'sending' | 'sent' | 'withdrawn';
  readonly person: string | null;
  readonly change: string | null;
  readonly subject: string | null;
  readonly reminder: boolean;
  readonly createdAt: Date;
  readonly dueAt: Date;
  readonly deliveries: readonly DeliveryView[];
}

interface Filter {
  /** The groups of the caller: only notices of people about changes in them; null for all notices. */
  readonly groups: readonly string[] | null;
  /** Only notices with a delivery in this state; null for all. */
  readonly state: DeliveryState | null;
  /** Only notices with a lower number than this; null from the newest. */
  readonly before: number | null;
  readonly limit: number;
}

/** Lists notices, the newest first. Withdrawn ones are left out. */
export async function listNotices(db: Database, filter: Filter): Promise<NoticeView[]> {
  const { rows } = await sql<NoticeView>`
    select ${columns} from ${joined}
    where n.state <> 'withdrawn' and ${visible(filter.groups)}
      and (${filter.before}::bigint is null or n.number < ${filter.before})
      and (${filter.state}::text is null or exists (
        select from notice_delivery d where d.notice_id = n.id and d.state = ${filter.state}))
    order by n.number desc limit ${filter.limit}`.execute(db);
  return rows.map(withDates);
}

/** Reads a notice; null when there is none that the groups may see. */
export async function readNotice(
  db: Database,
  id: string,
  groups: readonly string[] | null,
): Promise<NoticeView | null> {
  const { rows } = await sql<NoticeView>`
    select ${columns} from ${joined} where n.id = ${id} and ${visible(groups)}`.execute(db);
  return rows[0] === undefined ? null : withDates(rows[0]);
}

/** What a person may know about a notice to them. */
export interface OwnNotice {
  readonly at: Date;
  readonly kind: NoticeKind;
  readonly change: string | null;
  readonly delivered: boolean;
}

/** Lists the notices about a person, the newest first. Withdrawn ones are left out. */
export async function listNoticesOf(
  db: Database,
  identityId: string,
  limit: number,
): Promise<OwnNotice[]> {
  const { rows } = await sql<OwnNotice>`
    select n.created_at as at, n.kind, n.change_id as change, exists (
             select from notice_delivery d where d.notice_id = n.id and d.state = 'delivered') as delivered
    from notice n where n.identity_id = ${identityId} and n.state <> 'withdrawn'
    order by n.number desc limit ${limit}`.execute(db);
  return rows;
}

const visible = (groups: readonly string[] | null) =>
  sql`(${groups === null}::boolean or (n.identity_id is not null and c.groups && ${[...(groups ?? [])]}::text[]))`;

const joined = sql`
  notice n left join identity i on i.id = n.identity_id left join change c on c.id = n.change_id`;

const columns = sql`
  n.id, n.number, n.kind, n.state, i.name as person, n.change_id as change, n.subject, n.reminder,
  n.created_at as "createdAt", n.due_at as "dueAt",
  coalesce((select json_agg(json_build_object(
              'id', d.id, 'channel', d.channel, 'state', d.state, 'reason', d.reason,
              'attempts', d.attempts, 'nextTryAt', d.next_try_at, 'updatedAt', d.updated_at)
              order by d.channel, d.id)
            from notice_delivery d where d.notice_id = n.id), '[]') as deliveries`;

/** The times inside of JSON arrive as text. */
const withDates = (notice: NoticeView): NoticeView => ({
  ...notice,
  deliveries: notice.deliveries.map((delivery) => ({
    ...delivery,
    nextTryAt: delivery.nextTryAt === null ? null : new Date(delivery.nextTryAt),
    updatedAt: new Date(delivery.updatedAt),
  })),
});

/** What became of the deliveries to one channel. */
export interface ChannelUse {
  readonly waiting: number;
  /** Deliveries that failed within the last day. */
  readonly failed: number;
  readonly lastDeliveredAt: Date | null;
  /** Why the newest delivery that waits or failed did not arrive. */
  readonly lastReason: DeliveryReason | null;
}

/** Reads the use of each channel that had a delivery, by its name. */
export async function readChannelUse(db: Database): Promise<Map<string, ChannelUse>> {
  const { rows } = await sql<ChannelUse & { channel: string }>`
    select channel, count(*) filter (where state = 'waiting')::int as waiting,
           count(*) filter (where state = 'failed' and updated_at > now() - interval '1 day')::int as failed,
           max(updated_at) filter (where state = 'delivered') as "lastDeliveredAt",
           (array_agg(reason order by updated_at desc) filter (where reason is not null and state <> 'skipped'))[1] as "lastReason"
    from notice_delivery group by channel`.execute(db);
  return new Map(rows.map(({ channel, ...use }) => [channel, use]));
}
