import { type RawBuilder, sql } from 'kysely';

/**
 * Expression for a statement on account `a`: the newest change before `seq` that may have written the account. Null when
 * there is none.
 */
export const earlierClaim = (seq: RawBuilder<number>) => sql<number | null>`(
  select max(c.seq) from change c left join outcome o on o.change_id = c.id and o.account_id = a.id
  where c.identity_id = a.identity_id and c.seq < ${seq}
    and (o.state = 'applying' or o.in_doubt or (c.origin_account_id = a.id and c.ended_at is null)))`;

/**
 * Part of a statement that retries the accounts of other open changes which wait behind accounts of this change.
 * @param released name of the CTE with the ids of these accounts, in the column `account_id`
 */
export const retryBehind = (
  change: { readonly id: RawBuilder<string>; readonly identityId: RawBuilder<string> },
  released: RawBuilder<unknown>,
) => sql`
  insert into command (change_id, kind, label, requested_by)
  select o.change_id, 'retry', o.label, 'worker'
  from change c join outcome o on o.change_id = c.id join ${released} on released.account_id = o.account_id
  where c.identity_id = ${change.identityId} and c.ended_at is null and c.id <> ${change.id}
    and o.state = 'waiting' and o.reason = 'account_in_use'
  returning change_id`;
