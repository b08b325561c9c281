import { sql } from 'kysely';
import type { EngineProblem } from '../model/engine-problem';
import { isKeyStoreProblem, type KeyStoreProblem } from '../model/key-store-problem';
import type { Database } from './database';

/** A worker that has not reported for this long is regarded as gone. */
const GONE_AFTER = '20 seconds';

/** Part of a statement: the workers that have reported lately. */
export const presentWorkers = sql`
  (select * from worker_presence where seen_at > now() - ${sql.lit(GONE_AFTER)}::interval) present`;

/** Interval at which each worker reports that it is present, so that the api can show why an accepted change waits. */
export const PRESENCE_INTERVAL_MS = 5_000;

/** Why no change makes progress; null when a worker is present and reaches the engine. */
export type Standstill = 'no_worker' | 'no_engine' | null;

/** To which files and variables a worker limits the references of the configuration. */
export interface SecretPlaces {
  readonly folder: string;
  readonly prefix: string;
}

interface WorkerReport {
  /** Why the worker cannot use the engine; null when it can. */
  readonly engineProblem?: EngineProblem | null;
  /** The search attributes that the engine lacks, as `name=type`. */
  readonly engineLacks?: readonly string[];
  readonly secrets?: SecretPlaces;
  /** Why the worker cannot seal new credentials; null when it can. */
  readonly keyStoreProblem?: KeyStoreProblem | null;
  /** Ids of master keys without a backup. */
  readonly unsavedMasterKeys?: readonly string[];
  /** The master key with which the worker seals new credentials. */
  readonly currentMasterKey?: string | null;
  /** The sources to which the worker is bound; null for a worker of all sources that are not isolated. */
  readonly sources?: readonly string[] | null;
  /** The address of the server that the worker uses, by source. */
  readonly servers?: Readonly<Record<string, string>>;
}

/** Records that a worker is running, and whether it can use the engine. */
export async function reportPresence(
  db: Database,
  workerId: string,
  {
    engineProblem = null,
    engineLacks = [],
    secrets,
    keyStoreProblem = null,
    unsavedMasterKeys = [],
    currentMasterKey = null,
    servers = {},
    sources = null,
  }: WorkerReport = {},
): Promise<void> {
  await sql`
    insert into worker_presence
      (worker_id, engine_reachable, engine_problem, engine_lacks, secrets_folder, secrets_prefix,
       key_store_problem, unsaved_master_keys, current_master_key, servers, sources)
    values (${workerId}, ${engineProblem === null}, ${engineProblem}, ${[...engineLacks]}::text[],
      ${secrets?.folder ?? null}, ${secrets?.prefix ?? null},
      ${keyStoreProblem}, ${[...unsavedMasterKeys]}::text[], ${currentMasterKey}, ${JSON.stringify(servers)}::jsonb,
      ${sources === null ? null : [...sources]}::text[])
    on conflict (worker_id) do update
    set engine_reachable = excluded.engine_reachable, engine_problem = excluded.engine_problem,
      engine_lacks = excluded.engine_lacks,
      secrets_folder = excluded.secrets_folder, secrets_prefix = excluded.secrets_prefix,
      key_store_problem = excluded.key_store_problem, unsaved_master_keys = excluded.unsaved_master_keys,
      current_master_key = excluded.current_master_key,
      servers = excluded.servers, sources = excluded.sources, seen_at = now()`.execute(db);
}

/** The places of one worker. */
export interface PlacesOfWorker extends SecretPlaces {
  /** The sources to which the worker is bound; null for a worker of all sources that are not isolated. */
  readonly sources: readonly string[] | null;
}

/** Reads the places of the secrets of the present workers that report them. */
export async function readSecretPlaces(db: Database): Promise<PlacesOfWorker[]> {
  const { rows } = await sql<PlacesOfWorker>`
    select distinct secrets_folder as folder, secrets_prefix as prefix, sources from worker_presence
    where seen_at > now() - ${GONE_AFTER}::interval
      and secrets_folder is not null and secrets_prefix is not null
    order by folder, prefix`.execute(db);
  return rows;
}

/** Reads the servers that the present workers use, by source. */
export async function readServersInUse(db: Database): Promise<ReadonlyMap<string, string[]>> {
  const { rows } = await sql<{ source: string; servers: string[] }>`
    select s.key as source, array_agg(distinct s.value order by s.value) as servers
    from worker_presence w, jsonb_each_text(w.servers) s
    where w.seen_at > now() - ${GONE_AFTER}::interval group by s.key`.execute(db);
  return new Map(rows.map(({ source, servers }) => [source, servers]));
}

/** Reads the sources to which present workers are bound. */
export async function readBoundSources(db: Database): Promise<string[]> {
  const { rows } = await sql<{ source: string }>`
    select distinct unnest(sources) as source from worker_presence
    where seen_at > now() - ${GONE_AFTER}::interval and engine_reachable`.execute(db);
  return rows.map(({ source }) => source);
}

/** Why present workers cannot use their engine, and the search attributes that it lacks. */
export interface EngineTrouble {
  readonly problems: readonly EngineProblem[];
  readonly lacks: readonly string[];
}

/** Reads what keeps present workers from using their engine. */
export async function readEngineTrouble(db: Database): Promise<EngineTrouble> {
  const { rows } = await sql<EngineTrouble>`
    select coalesce(array_agg(distinct engine_problem) filter (where engine_problem is not null), '{}') as problems,
           coalesce((select array_agg(distinct lack order by lack) from worker_presence w, unnest(w.engine_lacks) lack
                     where w.seen_at > now() - ${GONE_AFTER}::interval), '{}') as lacks
    from worker_presence where seen_at > now() - ${GONE_AFTER}::interval`.execute(db);
  return rows[0] ?? { problems: [], lacks: [] };
}

/** What present workers report about the store of the master keys. */
export interface KeyStoreTrouble {
  readonly problems: readonly KeyStoreProblem[];
  /** Ids of master keys without a backup. */
  readonly unsaved: readonly string[];
}

/** Reads what keeps present workers from sealing new credentials. */
export async function readKeyStoreTrouble(db: Database): Promise<KeyStoreTrouble> {
  const { rows } = await sql<{ problem: string | null; unsaved: readonly string[] }>`
    select key_store_problem as problem, unsaved_master_keys as unsaved
    from worker_presence where seen_at > now() - ${GONE_AFTER}::interval`.execute(db);
  const problems = rows.flatMap(({ problem }) =>
    problem !== null && isKeyStoreProblem(problem) ? [problem] : [],
  );
  return {
    problems: [...new Set(problems)].sort(),
    unsaved: [...new Set(rows.flatMap(({ unsaved }) => unsaved))].sort(),
  };
}

/** Removes the presence of a worker that stops, and that of workers that have not reported for 20 seconds. */
export async function removePresence(db: Database, workerId: string): Promise<void> {
  await sql`
    delete from worker_presence
    where worker_id = ${workerId} or seen_at < now() - ${GONE_AFTER}::interval`.execute(db);
}

/** Why no change makes progress now; null when a present worker that is bound to no source reaches the engine. */
export async function standstill(db: Database): Promise<Standstill> {
  const { rows } = await sql<{ workers: number; engines: number }>`
    select count(*)::int as workers, count(*) filter (where engine_reachable)::int as engines
    from worker_presence where seen_at > now() - ${GONE_AFTER}::interval and sources is null`.execute(
    db,
  );
  const { workers = 0, engines = 0 } = rows[0] ?? {};
  if (workers === 0) return 'no_worker';
  return engines === 0 ? 'no_engine' : null;
}
