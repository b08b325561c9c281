import { Kysely, PostgresDialect, type PostgresPool, type PostgresPoolClient } from 'kysely';
import pg from 'pg';
import { accountRulesOf } from '../../connectors/registry';
import type { Database } from '../../store/database';
import { migrate } from '../../store/migrate';
import type { Tables } from '../../store/tables';
import type { Scheduler } from './scheduler';

/** A fault that a test plants: the statements that match are sent as `becomes`. */
export interface PlantedSql {
  readonly find: RegExp | string;
  readonly becomes: string;
}

export interface Claim {
  readonly at: number;
  readonly changeId: string;
  readonly source: string;
}

export interface GatedDatabase {
  readonly db: Database;
  /** For the test itself: no gate, no planted fault. */
  readonly direct: Database;
  /** How many statements a planted fault changed. */
  readonly planted: () => number;
  /** From here on, statements wait for this scheduler and are sent with these faults. */
  use(scheduler: Scheduler, faults: readonly PlantedSql[]): void;
  /** Claims of accounts, in the order in which they were committed. */
  readonly claims: () => readonly Claim[];
  /** Removes every person, change and record of the run before. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

const INT8_OID = 20;
/** The clock of the database follows in steps of this size, to save a statement. */
const CLOCK_STEP_MS = 20;
/** Others, `begin` for example, gain nothing or cannot be prepared. */
const PREPARED = /^\s*(select|with|insert|update|delete)\b/;
const RESETS_PER_TRUNCATION = 100;

/**
 * One connection to a database whose `now()` is the time of the scheduler: functions in `public`, which is searched before
 * `pg_catalog`, read it from a table. Each statement is one step of the process that sends it; a transaction is one step.
 */
export async function openGatedDatabase(url: string): Promise<GatedDatabase> {
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  for (const statement of clockStatements) await admin.query(statement);
  await admin.end();
  const client = new pg.Client({
    connectionString: url,
    types: {
      getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
        oid === INT8_OID ? Number : pg.types.getTypeParser(oid, format)) as never,
    },
  });
  await client.connect();
  let scheduler: Scheduler | null = null;
  let faults: readonly PlantedSql[] = [];
  let planted = 0;
  let clock = 0;
  let inTransaction = false;
  const names = new Map<string, string>();
  let claims: Claim[] = [];

  const faulty = (text: string): string =>
    faults.reduce((sent, { find, becomes }) => {
      const changed = sent.replace(find, becomes);
      if (changed !== sent) planted++;
      return changed;
    }, text);
  const send = async (text: string, values: readonly unknown[]) => {
    const time = scheduler?.now() ?? 0;
    if (scheduler !== null && (time < clock || time - clock >= CLOCK_STEP_MS)) {
      clock = time;
      const set = `select set_config('simulator.now', to_timestamp($1::double precision / 1000)::text, false)`;
      await client.query({ name: 'sim-clock', text: set, values: [time] });
    }
    if (!PREPARED.test(text)) return client.query(text);
    if (!names.has(text)) names.set(text, `sim-${names.size}`);
    return client.query({ name: names.get(text) ?? '', text, values: [...values] });
  };
  const gated = async (text: string, values: readonly unknown[]) => {
    if (scheduler === null) return send(text, values);
    if (!inTransaction) await scheduler.gate();
    if (text === 'begin') inTransaction = true;
    if (text === 'commit' || text === 'rollback') inTransaction = false;
    // The setting of the clock is rolled back, too.
    if (text === 'rollback') clock = 0;
    const result = await scheduler.busy(send(faulty(text), values));
    noteClaims(result.rows, values, scheduler.now());
    return result;
  };
  function noteClaims(
    rows: readonly Record<string, unknown>[],
    values: readonly unknown[],
    at: number,
  ): void {
    const changeId = values.find((value) => typeof value === 'string' && value.startsWith('chg_'));
    for (const { verdict, source } of rows)
      if (verdict === 'claimed')
        claims.push({ at, changeId: String(changeId), source: String(source) });
  }
  const open = (query: typeof send) =>
    new Kysely<Tables>({ dialect: new PostgresDialect({ pool: poolOf(query) }) });
  const direct = open(send);
  await migrate(direct, accountRulesOf);
  const { truncation, deletion } = await emptying(client);
  let resets = 0;
  return {
    db: open(gated),
    direct,
    planted: () => planted,
    use(next, with_) {
      scheduler = next;
      faults = with_;
      planted = 0;
      inTransaction = false;
      claims = [];
    },
    claims: () => claims,
    reset: async () => {
      await client.query(resets++ % RESETS_PER_TRUNCATION === 0 ? truncation : deletion);
    },
    close: () => client.end(),
  };
}

/**
 * The statements that remove what a run left. A truncation is slow, and every statement is planned again after it; deleted
 * rows stay in the files until the next one.
 */
async function emptying(client: pg.Client): Promise<{ truncation: string; deletion: string }> {
  const { rows } = await client.query(
    `with recursive written(id) as (
       select name::regclass::oid from unnest($1::text[]) name
       union select conrelid from pg_constraint, written where contype = 'f' and confrelid = written.id)
     select id::regclass::text as name from written`,
    [roots],
  );
  return {
    truncation: `truncate ${roots.join(', ')} cascade`,
    deletion: [
      'set session_replication_role = replica',
      ...rows.map(({ name }) => `delete from ${name}`),
      'reset session_replication_role',
    ].join(';'),
  };
}

const roots = ['identity', 'change', 'audit', 'source_state', 'source_command', 'scim_user'];

const poolOf = (
  query: (text: string, values: readonly unknown[]) => Promise<unknown>,
): PostgresPool => ({
  connect: async () => ({
    query: query as unknown as PostgresPoolClient['query'],
    release: () => {},
  }),
  end: async () => {},
});

const clockStatements = [
  `create function public.now() returns timestamptz language sql stable
     as $$ select current_setting('simulator.now')::timestamptz $$`,
  `create function public.clock_timestamp() returns timestamptz language sql volatile
     as $$ select current_setting('simulator.now')::timestamptz $$`,
  `create function public.random() returns double precision language sql volatile as 'select 0.5::float8'`,
  ...Object.entries({
    'simulator.now': "'2026-01-01T00:00:00Z'",
    search_path: 'public, pg_catalog',
    synchronous_commit: 'off',
    // Every statement is planned once.
    plan_cache_mode: 'force_generic_plan',
  }).map(
    ([name, value]) => `do $$ begin
       execute format('alter database %I set ${name} = ${value.replaceAll("'", "''")}', current_database());
     end $$`,
  ),
];
