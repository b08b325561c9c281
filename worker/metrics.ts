import { sql } from 'kysely';
import { Counter, Gauge } from 'prom-client';
import { log } from '../log';
import { listRelays, type RelayView } from '../store/captures/relays';
import { countWithoutEffect } from '../store/captures/without-effect';
import { currentConfiguration } from '../store/configuration/versions';
import type { Database } from '../store/database';

type Series = readonly (readonly [labels: Readonly<Record<string, string>>, value: number])[];

/** A metric that is read from the database at each scrape. */
interface StoredMetric {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  /** True for a number that only grows. */
  readonly grows?: boolean;
  readonly read: () => Promise<Series>;
}

/**
 * Registers the metrics for alarms. They are read from the database at each scrape, so every worker reports the same
 * values: use the maximum over the workers. They have no series for sources that were removed from the configuration,
 * and none at all while the database cannot be reached.
 */
export function registerWorkerMetrics(db: Database): void {
  const configured = shared(async () => {
    const { configuration } = await currentConfiguration(db);
    return new Set(Object.keys(configuration.sources));
  });
  const relays = shared(() => listRelays(db));
  for (const metric of [
    ...changeMetrics(db),
    ...sourceMetrics(db, configured),
    ...relayMetrics.map(({ value, ...metric }) => ({
      ...metric,
      labelNames: ['source', 'relay'],
      read: async () => {
        const sources = await configured();
        return (await relays())
          .filter(({ source, revokedAt }) => revokedAt === null && sources.has(source))
          .map((relay) => [{ source: relay.source, relay: relay.id }, value(relay)] as const);
      },
    })),
  ])
    register(metric);
  register({
    name: 'lockstep_database_reachable',
    help: '1 when the worker reaches the database, else 0.',
    labelNames: [],
    read: async () => [
      [
        {},
        await sql`select 1`.execute(db).then(
          () => 1,
          () => 0,
        ),
      ],
    ],
  });
}

function register({ name, help, labelNames, grows = false, read }: StoredMetric): void {
  const collect = async () => {
    const series = await read().catch((error) => {
      log.debug('a metric could not be read from the database', { error });
      return [];
    });
    // Without a pause from here on, so that scrapes at the same time do not add up.
    metric.reset();
    for (const [labels, value] of series) metric.inc(labels, value);
    if (series.length === 0 && labelNames.length === 0) metric.remove();
  };
  const options = { name, help, labelNames, collect };
  const metric = grows ? new Counter(options) : new Gauge(options);
}

/** Shares one read among metrics that are collected at the same time. */
function shared<T>(read: () => Promise<T>): () => Promise<T> {
  let pending: Promise<T> | null = null;
  return () => {
    pending ??= read().finally(() => {
      pending = null;
    });
    return pending;
  };
}

const changeMetrics = (db: Database): StoredMetric[] => [
  {
    name: 'lockstep_open_changes',
    help: 'Changes that have not ended, by state.',
    labelNames: ['state'],
    read: async () => {
      const { rows } = await sql<{ state: string; value: number }>`
        select state, count(*)::int as value from change where ended_at is null group by state`.execute(
        db,
      );
      return rows.map(({ state, value }) => [{ state }, value]);
    },
  },
  {
    name: 'lockstep_oldest_open_change_seconds',
    help: 'Age of the oldest change that has not ended, in seconds; 0 when there is none.',
    labelNames: [],
    read: () => oldestSeconds(db, sql`true`),
  },
  {
    name: 'lockstep_oldest_unstarted_change_seconds',
    help: 'Age of the oldest change that no worker has begun, in seconds; 0 when there is none.',
    labelNames: [],
    read: () => oldestSeconds(db, sql`planned_at is null`),
  },
];

async function oldestSeconds(db: Database, which: ReturnType<typeof sql>): Promise<Series> {
  const { rows } = await sql<{ value: number }>`
    select coalesce(extract(epoch from now() - min(created_at)), 0)::float8 as value
    from change where ended_at is null and ${which}`.execute(db);
  return [[{}, rows[0]?.value ?? 0]];
}

const sourceMetrics = (
  db: Database,
  configured: () => Promise<ReadonlySet<string>>,
): StoredMetric[] => [
  {
    name: 'lockstep_waiting_accounts',
    help: 'Accounts that are waiting for another attempt or are parked, by source and state.',
    labelNames: ['source', 'state'],
    read: async () => {
      const { rows } = await sql<{ source: string; state: string; value: number }>`
        select o.source, o.state, count(*)::int as value
        from outcome o join change c on c.id = o.change_id
        where c.ended_at is null and o.state in ('waiting', 'parked') group by o.source, o.state`.execute(
        db,
      );
      return rows.map(({ source, state, value }) => [{ source, state }, value]);
    },
  },
  {
    name: 'lockstep_source_trouble_seconds',
    help: 'Seconds since a source went down or was paused, by source, state (down, paused) and reason. A source that is up has no value.',
    labelNames: ['source', 'state', 'reason'],
    read: async () => {
      const sources = await configured();
      const { rows } = await sql<{
        source: string;
        state: string;
        reason: string;
        value: number;
      }>`
        select source, condition as state, reason, extract(epoch from now() - since)::float8 as value
        from source_state`.execute(db);
      return rows
        .filter(({ source }) => sources.has(source))
        .map(({ value, ...labels }) => [labels, value]);
    },
  },
  {
    name: 'lockstep_captures_without_effect',
    help: 'Accounts whose password was changed in their source and reached no other account, by source and by the reason for which the capture had no effect.',
    labelNames: ['source', 'reason'],
    read: async () => {
      const sources = await configured();
      return (await countWithoutEffect(db))
        .filter(({ source }) => sources.has(source))
        .map(({ source, reason, accounts }) => [{ source, reason }, accounts]);
    },
  },
];

const seconds = (since: Date | null): number =>
  since === null ? 0 : Math.max(0, (Date.now() - since.getTime()) / 1000);

const relayMetrics: readonly {
  readonly name: string;
  readonly help: string;
  readonly grows?: boolean;
  readonly value: (relay: RelayView) => number;
}[] = [
  {
    name: 'lockstep_relay_silence_seconds',
    help: 'Seconds since the last request of a relay, or since its registration if it has sent none.',
    value: ({ heardAt, createdAt }) => seconds(heardAt ?? createdAt),
  },
  {
    name: 'lockstep_relay_backlog',
    help: 'Captures that wait on the machine of a relay, plus those submitted that no worker has ingested.',
    value: ({ backlog, open }) => backlog + open,
  },
  {
    name: 'lockstep_relay_oldest_seconds',
    help: 'Age of the oldest capture that waits on the machine of a relay, in seconds; 0 when none waits.',
    value: ({ oldestAt }) => seconds(oldestAt),
  },
  {
    name: 'lockstep_relay_lost_total',
    help: 'Captures of a relay that will never arrive or cannot be opened.',
    grows: true,
    value: ({ lost }) => lost,
  },
  {
    name: 'lockstep_relay_missed_total',
    help: 'How often a source had trimmed changes before its relay read them.',
    grows: true,
    value: ({ missed }) => missed,
  },
  {
    name: 'lockstep_relay_trouble',
    help: '1 while a relay cannot read its source, else 0.',
    value: ({ trouble }) => (trouble === null ? 0 : 1),
  },
  {
    name: 'lockstep_relay_quarantined',
    help: 'Damaged spool files that a relay has quarantined; check the log of the relay.',
    value: ({ quarantined }) => quarantined,
  },
];
