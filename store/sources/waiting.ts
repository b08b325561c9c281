import { sql } from 'kysely';
import { heldReasons } from '../../model/change/source-circuit';
import type { ErrorCode } from '../../model/errors';
import { sourceTrouble } from '../changes/read';
import type { Database } from '../database';

/** Accounts of open changes that wait at a source, or are parked there, for the same reason. */
export interface WaitingGroup {
  readonly state: 'waiting' | 'parked';
  readonly reason: ErrorCode | null;
  readonly accounts: number;
  /** When the oldest of their changes was accepted. */
  readonly oldestAt: Date;
  /** When the first of them is tried next; null if none has a time, such as while the source is paused. */
  readonly nextTryAt: Date | null;
}

/** Reads what waits at a source by reason, the largest group first. */
export async function readWaiting(db: Database, source: string): Promise<WaitingGroup[]> {
  const { rows } = await sql<WaitingGroup>`
    select o.state, o.reason, count(*)::int as accounts, min(c.created_at) as "oldestAt",
           min(case when s.source is not null and o.reason = any(${[...heldReasons]}) then s.ends_at
                    else o.next_try_at end) filter (where o.state = 'waiting') as "nextTryAt"
    from outcome o join change c on c.id = o.change_id left join ${sourceTrouble} s on s.source = o.source
    where c.ended_at is null and o.source = ${source} and o.state in ('waiting', 'parked')
    group by o.state, o.reason order by count(*) desc, o.state, o.reason`.execute(db);
  return rows;
}
