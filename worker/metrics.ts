import { sql } from 'kysely';
import { Gauge } from 'prom-client';
import { listRelays, type RelayView } from '../store/captures/relays';
import { countWithoutEffect } from '../store/captures/without-effect';
import type { Database } from '../store/database';

/**
 * Registers the metrics for alarms. They are read from the database at each scrape, so every worker reports the same
 * values.
 */
export function registerWorkerMetrics(db: Database): void {
  const read = async (query: ReturnType<typeof sql<{ label: string; value: number }>>) =>
    (await query.execute(db)).rows;

  new Gauge({
    name: 'lockstep_open_changes',
    help: 'Changes that have not ended, by state.',
    labelNames: ['state'],
    async collect() {
      this.reset();
      for (const { label, value } of await read(sql`
        select state as label, count(*)::int as value from change where ended_at is null group by state`))
        this.set({ state: label }, value);
    },
  });
  new Gauge({
    name: 'lockstep_waiting_accounts',
    help: 'Accounts that wait for another attempt or are parked, by source.',
    labelNames: ['source'],
    async collect() {
      this.reset();
      for (const { label, value } of await read(sql`
        select o.source as label, count(*)::int as value
        from outcome o join change c on c.id = o.change_id
        where c.ended_at is null and o.state in ('waiting', 'parked') group by o.source`))
        this.set({ source: label }, value);
    },
  });
  new Gauge({
    name: 'lockstep_source_trouble_seconds',
    help: 'Seconds since a source went down or was paused. A source that is up has no value.',
    labelNames: ['source'],
    async collect() {
      this.reset();
      for (const { label, value } of await read(sql`
        select source as label, extract(epoch from now() - since)::float8 as value from source_state`))
        this.set({ source: label }, value);
    },
  });
  new Gauge({
    name: 'lockstep_oldest_open_change_seconds',
    help: 'Age of the oldest change that has not ended, in seconds; 0 when there is none.',
    async collect() {
      const rows = await read(sql`
        select '' as label, coalesce(extract(epoch from now() - min(created_at)), 0)::float8 as value
        from change where ended_at is null`);
      this.set(rows[0]?.value ?? 0);
    },
  });
  new Gauge({
    name: 'lockstep_captures_without_effect',
    help: 'Accounts whose password was changed in their source and reached no other account, by source and by the reason for which the capture had no effect.',
    labelNames: ['source', 'reason'],
    async collect() {
      this.reset();
      for (const { source, reason, accounts } of await countWithoutEffect(db))
        this.set({ source, reason }, accounts);
    },
  });
  const relays = shared(() => listRelays(db));
  for (const { name, help, value } of relayGauges)
    new Gauge({
      name,
      help,
      labelNames: ['source', 'relay'],
      async collect() {
        this.reset();
        for (const relay of await relays())
          if (relay.revokedAt === null)
            this.set({ source: relay.source, relay: relay.id }, value(relay));
      },
    });
}

/** Shares one read among gauges that are collected at the same time. */
function shared<T>(read: () => Promise<T>): () => Promise<T> {
  let pending: Promise<T> | null = null;
  return () => {
    pending ??= read().finally(() => {
      pending = null;
    });
    return pending;
  };
}

const seconds = (since: Date | null): number =>
  since === null ? 0 : Math.max(0, (Date.now() - since.getTime()) / 1000);

const relayGauges: readonly {
  readonly name: string;
  readonly help: string;
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
    name: 'lockstep_relay_lost',
    help: 'Captures of a relay that will never arrive or cannot be opened.',
    value: ({ lost }) => lost,
  },
  {
    name: 'lockstep_relay_missed',
    help: 'How often a source had trimmed changes before its relay read them.',
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
