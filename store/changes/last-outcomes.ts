import { sql } from 'kysely';
import type { OutcomeState } from '../../model/change/outcome';
import type { OutcomeReason } from '../../model/change/reason';
import type { Database } from '../database';

/** What became of an account in the newest change that attempted it. */
export interface LastOutcome {
  readonly accountId: string;
  readonly changeId: string;
  readonly state: OutcomeState;
  readonly reason: OutcomeReason | null;
}

/** Reads the last outcome of each account of a person, by account id. */
export async function readLastOutcomes(
  db: Database,
  identityId: string,
): Promise<ReadonlyMap<string, LastOutcome>> {
  const { rows } = await sql<LastOutcome>`
    select distinct on (o.account_id) o.account_id as "accountId", c.id as "changeId", o.state, o.reason
    from change c join outcome o on o.change_id = c.id
    where c.identity_id = ${identityId} and o.account_id is not null and o.attempts > 0
    order by o.account_id, c.seq desc`.execute(db);
  return new Map(rows.map((row) => [row.accountId, row]));
}
