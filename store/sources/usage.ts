import { sql } from 'kysely';
import type { Database } from '../database';

export interface SourceUse {
  /** Linked accounts of the source. */
  readonly accounts: number;
  /** Accounts of open changes that wait for another attempt. */
  readonly waiting: number;
  /** Accounts of open changes that are parked, until an operator retries them. */
  readonly parked: number;
}

/** Reads how many accounts each source has, by its name. A source without accounts is missing in the map. */
export async function readSourceUse(db: Database): Promise<Map<string, SourceUse>> {
  const { rows } = await sql<SourceUse & { source: string }>`
    select source, sum(accounts)::int as accounts, sum(waiting)::int as waiting,
           sum(parked)::int as parked
    from (select source, count(*) as accounts, 0 as waiting, 0 as parked from account group by source
          union all
          select o.source, 0, count(*) filter (where o.state = 'waiting'),
                 count(*) filter (where o.state = 'parked')
          from outcome o join change c on c.id = o.change_id
          where c.ended_at is null and o.state in ('waiting', 'parked') group by o.source) as used
    group by source`.execute(db);
  return new Map(rows.map(({ source, ...use }) => [source, use]));
}

/** How many mappings connect an application with accounts of a source. */
export interface MappingUse {
  readonly application: string;
  readonly source: string;
  readonly mappings: number;
}

export async function readMappingUse(db: Database): Promise<MappingUse[]> {
  const { rows } = await sql<MappingUse>`
    select m.application, a.source, count(*)::int as mappings
    from mapping m join account a on a.id = m.account_id
    group by m.application, a.source`.execute(db);
  return rows;
}
