import { sql } from 'kysely';
import type { OutcomeState, Proof } from '../../model/change/outcome';
import type { OutcomeFacts, OutcomeReason } from '../../model/change/reason';
import type { ErrorCode } from '../../model/errors';
import { notPast, shownOf, sourceTrouble } from '../changes/read';
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
    /** Of an account that waits for its source: why the source does not answer now. */
    readonly reason: OutcomeFacts['reason'];
    readonly nextTryAt: Date | null;
    /** Who has paused the source; null if it is not paused, or the key is gone. */
    readonly pausedBy: string | null;
    /** A write may have reached the account. */
    readonly inDoubt: boolean;
  } | null;
}

/** Reads what each account of a person holds. */
export async function readHeld(db: Database, identityId: string): Promise<HeldByAccount[]> {
  const { rows } = await sql<StoredAccount>`
    select a.id as "accountId",
      (select json_build_object('change', c.id, 'proof', o.proof, 'reason', o.reason,
                                'at', case when o.reason = 'origin' then c.captured_at else o.updated_at end)
       from change c join outcome o on o.change_id = c.id
       where c.identity_id = a.identity_id and o.account_id = a.id and o.state = 'applied'
       order by c.seq desc limit 1) as held,
      (select json_build_object('change', c.id, 'state', o.state, 'reason', o.reason,
                                'inDoubt', o.in_doubt or o.state = 'applying',
                                'nextTryAt', ${notPast('o.next_try_at')}, 'trouble', s.reason,
                                'endsAt', ${notPast('s.ends_at')}, 'pausedBy', s.paused_by)
       from change c join outcome o on o.change_id = c.id
         left join ${sourceTrouble} s on s.source = o.source
       where c.identity_id = a.identity_id and o.account_id = a.id and c.ended_at is null
         and o.state in ('pending', 'applying', 'waiting', 'parked')
       order by c.seq desc limit 1) as open
    from account a where a.identity_id = ${identityId}`.execute(db);
  return rows.map(({ accountId, held, open }) => ({
    accountId,
    held: held && { ...held, at: new Date(held.at) },
    open: open && openOf(open),
  }));
}

/** An account with times as JSON returns them. */
interface StoredAccount extends Pick<HeldByAccount, 'accountId' | 'held'> {
  readonly open: {
    readonly change: string;
    readonly state: OutcomeState;
    readonly reason: OutcomeReason | null;
    readonly nextTryAt: string | null;
    readonly trouble: ErrorCode | null;
    readonly endsAt: string | null;
    readonly pausedBy: string | null;
    readonly inDoubt: boolean;
  } | null;
}

function openOf(open: NonNullable<StoredAccount['open']>): NonNullable<HeldByAccount['open']> {
  const { change, state, reason, trouble, pausedBy, inDoubt } = open;
  const [nextTryAt, endsAt] = [dateOf(open.nextTryAt), dateOf(open.endsAt)];
  const shown = shownOf({ state, reason, trouble, nextTryAt, endsAt });
  return { change, state, pausedBy, inDoubt, reason: shown.reason, nextTryAt: shown.nextTryAt };
}

const dateOf = (text: string | null): Date | null => (text === null ? null : new Date(text));
