import { sql } from 'kysely';
import type { Database } from '../../store/database';
import { verifyAll } from './audit-chain';

/** Queries for violations of the invariants of docs/architecture.md §4 that can be checked in the store alone. */
const broken: Readonly<Record<string, ReturnType<typeof sql>>> = {
  'I2 an ended change has settled every account': sql`
    select c.id from change c join outcome o on o.change_id = c.id
    where c.ended_at is not null and o.state in ('pending', 'applying', 'waiting', 'parked')`,
  'I2 an account that waits has a next attempt': sql`
    select change_id as id from outcome where state = 'waiting' and next_try_at is null`,
  'I2 an account that is parked ends with its change': sql`
    select o.change_id as id from outcome o join change c on c.id = o.change_id
    where o.state = 'parked' and o.next_try_at is distinct from c.expires_at`,
  'I3 an account never goes back to an older change': sql`
    select a.id from account a join outcome o on o.account_id = a.id join change c on c.id = o.change_id
    where o.state = 'applied' and a.applied_seq < c.seq`,
  'I4 nothing was written after the auth account failed': sql`
    select c.id from change c
    join outcome auth on auth.change_id = c.id and auth.role = 'auth'
    join outcome other on other.change_id = c.id and other.role = 'member'
    where auth.state = 'rejected' and auth.position < other.position and (other.attempts > 0 or (other.state = 'applied' and other.reason is distinct from 'origin'))`,
  'I6 a mapping in sync refers to the newest password of its account': sql`
    select m.id from mapping m join account a on a.id = m.account_id
    where m.state = 'in_sync' and m.applied_seq < a.applied_seq
      and not exists (select from change c where c.identity_id = m.identity_id and c.ended_at is null)`,
  'I8 the password of an ended change is destroyed': sql`
    select s.change_id as id from sealed_secret s join change c on c.id = s.change_id
    where c.ended_at is not null
    union all
    select m.id from adapter_message m join change c on c.id = m.change_id
    where c.ended_at is not null and m.sealed is not null`,
  'I9 no sealed password outlives its expiry by more than a sweep': sql`
    select change_id as id from sealed_secret where expires_at < now() - interval '30 seconds'
    union all
    select job_id from sealed_sign_in where expires_at < now() - interval '30 seconds'
    union all
    select id from adapter_message where sealed is not null and expires_at < now() - interval '30 seconds'`,
  'I9 no sealed capture outlives its expiry by more than a sweep': sql`
    select id::text from sealed_capture where expires_at < now() - interval '30 seconds'
    union all
    select account_key from kept_capture where expires_at < now() - interval '30 seconds'`,
  'I10 every accepted change has one record of it, and one of its end': sql`
    select c.id from change c
    where 1 <> (select count(*) from audit where change_id = c.id and action = 'change.accepted')
       or (c.ended_at is not null) <> exists (
         select from audit where change_id = c.id and action = 'change.' || c.state and c.ended_at is not null)`,
  'I10 every settled account has one record of it': sql`
    select o.change_id as id from outcome o
    where o.state in ('applied', 'rejected', 'expired', 'cancelled', 'superseded', 'not_attempted')
      and 1 <> (select count(*) from audit a where a.change_id = o.change_id and a.subject = o.label
                and a.action = 'account.' || o.state)`,
};

const inOne = sql<{ promise: string; id: string }>`${sql.join(
  Object.entries(broken).map(
    ([promise, query]) =>
      sql`select ${sql.lit(promise)} as promise, id::text from (${query}) found`,
  ),
  sql` union all `,
)}`;

/** Each violated invariant with the violating rows; empty if all hold. */
export async function brokenInvariants(db: Database): Promise<Record<string, unknown>> {
  const { rows } = await inOne.execute(db);
  const found: Record<string, unknown> = {};
  for (const { promise } of rows) found[promise] = rows.filter((row) => row.promise === promise);
  const chain = await verifyAll(db);
  if (!chain.intact) found['I10 the audit chain verifies'] = chain;
  return found;
}
