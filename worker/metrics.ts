import { sql } from 'kysely';
import { Gauge } from 'prom-client';
import type { Database } from '../store/database';

/** What an operator sets alarms on: read from the store when asked, so that every worker tells the same. */
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
    help: 'How long a source has been down or paused; those that are up are left out.',
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
    help: 'Age of the oldest change that has not ended.',
    async collect() {
      const rows = await read(sql`
        select '' as label, coalesce(extract(epoch from now() - min(created_at)), 0)::float8 as value
        from change where ended_at is null`);
      this.set(rows[0]?.value ?? 0);
    },
  });
}
