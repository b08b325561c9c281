import { sql } from 'kysely';
import type { OutcomeState, Proof } from '../../model/change/outcome';
import type { OutcomeReason } from '../../model/change/reason';
import type { Database } from '../database';

/** What an account holds, and what is open for it. */
export interface HeldByAccount {
  readonly accountId: string;
  /** The newest change whose password the account holds; null if it has none of Lockstep. */
  readonly held: {
    readonly change: string;
    /** When it was written; for the account in which it was captured, when it was changed there. */
    readonly at: Date;
    readonly proof: Proof;
    readonly reason: OutcomeReason | null;
  } | null;
  /** Its outcome in a change that has not ended; null if there is none. */
  readonly open: {
    readonly change: string;
    readonly state: OutcomeState;
    readonly reason: OutcomeReason | null;
    readonly nextTryAt: Date | null;
    /** A write may have reached the account. */
    readonly inDoubt: boolean;
  } | null;
}

/** Reads what each account of a person holds. */
export async function readHeld(db: Database, identityId: string): Promise<HeldByAccount[]> {
  const { rows } = await sql<HeldByAccount>`
    select a.id as "accountId",
      (select json_build_object('change', c.id, 'proof', o.proof, 'reason', o.reason,
                                'at', case when o.reason = 'origin' then c.captured_at else o.updated_at end)
       from change c join outcome o on o.change_id = c.id
       where c.identity_id = a.identity_id and o.account_id = a.id and o.state = 'applied'
       order by c.seq desc limit 1) as held,
      (select json_build_object('change', c.id, 'state', o.state, 'reason', o.reason, 'nextTryAt', o.next_try_at,
                                'inDoubt', o.in_doubt or o.state = 'applying')
       from change c join outcome o on o.change_id = c.id
       where c.identity_id = a.identity_id and o.account_id = a.id and c.ended_at is null
         and o.state in ('pending', 'applying', 'waiting', 'parked')
       order by c.seq desc limit 1) as open
    from account a where a.identity_id = ${identityId}`.execute(db);
  return rows.map(({ accountId, held, open }) => ({
    accountId,
    held: held && { ...held, at: new Date(held.at) },
    open: open && { ...open, nextTryAt: open.nextTryAt && new Date(open.nextTryAt) },
  }));
}
