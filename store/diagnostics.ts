import { sql } from 'kysely';
import type { Database } from './database';

/** Counts and states of the store, for a person who helps an operator. They name no person and no account. */
export interface StoreFacts {
  readonly postgres: string;
  /** The last migration that ran, such as `0016-access`. */
  readonly migration: string;
  readonly configurationVersion: number;
  readonly changes: readonly Counted<'state'>[];
  readonly openAccounts: readonly Counted<'source' | 'state' | 'reason'>[];
  readonly jobs: readonly Counted<'kind' | 'state'>[];
  /** Captures of relays that are not ingested yet. */
  readonly capturesToIngest: number;
  readonly workers: readonly WorkerFacts[];
  readonly databaseBytes: number;
}

type Counted<Field extends string> = Readonly<Record<Field, string | null>> & {
  readonly count: number;
};

interface WorkerFacts {
  readonly id: string;
  readonly seenAt: Date;
  readonly engineReachable: boolean;
  readonly engineLacks: readonly string[];
}

export async function readStoreFacts(db: Database): Promise<StoreFacts> {
  const { rows } = await sql<StoreFacts>`
    select
      current_setting('server_version') as postgres,
      (select max(name) from kysely_migration) as migration,
      (select coalesce(max(version), 0) from configuration) as "configurationVersion",
      ${counted(sql`select state, count(*)::int as count from change group by state order by state`)} as changes,
      ${counted(sql`
        select o.source, o.state, o.reason, count(*)::int as count
        from outcome o join change c on c.id = o.change_id
        where c.ended_at is null group by o.source, o.state, o.reason order by 1, 2, 3`)} as "openAccounts",
      ${counted(sql`select kind, state, count(*)::int as count from job group by kind, state order by 1, 2`)} as jobs,
      (select count(*)::int from sealed_capture) as "capturesToIngest",
      ${counted(sql`
        select worker_id as id, seen_at as "seenAt", engine_reachable as "engineReachable",
               engine_lacks as "engineLacks"
        from worker_presence order by seen_at desc`)} as workers,
      pg_database_size(current_database()) as "databaseBytes"`.execute(db);
  const [facts] = rows;
  if (facts === undefined) throw new Error('a statement without FROM returned no row');
  return facts;
}

/** The rows of a query as a JSON array. */
const counted = (query: ReturnType<typeof sql>) =>
  sql`(select coalesce(json_agg(one), '[]') from (${query}) one)`;
