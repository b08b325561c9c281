import { sql } from 'kysely';
import { closedForMs, type SignInResult, TYPED_IN_A_ROW } from '../../model/captures/sign-in';
import { closedFor } from '../captures/sign-ins';
import type { Database } from '../database';

/**
 * The guard of an account limits the logins that may fail: those with a password that a request brought. One row counts
 * them for every route, so that mixing the routes gains no guesses.
 */
export interface LoginGuard {
  /** Counts a failure before the login is made, so that a crash does not hide it. @returns false when it must not be made */
  open(): Promise<boolean>;
  /** Takes the counted failure back if the login did not fail. */
  settle(result: SignInResult): Promise<void>;
}

/** The guard for a login with a current password. */
export const guardOf = (db: Database, accountId: string): LoginGuard => ({
  async open() {
    const { rows } = await sql`
      insert into sign_in_guard as g (account_id, failures, closed_until)
      values (${accountId}, 1, now() + ${closedFor(sql`1`)})
      on conflict (account_id) do update
        set failures = g.failures + 1, closed_until = now() + ${closedFor(sql`g.failures + 1`)}
        where g.closed_until <= now() or g.failures < ${TYPED_IN_A_ROW}
      returning account_id`.execute(db);
    return rows.length > 0;
  },
  settle: (result) => settleGuard(db, accountId, result),
});

/** Takes back a failure that was counted before a login which was never made. */
export async function releaseGuard(db: Database, accountId: string): Promise<void> {
  await sql`
    update sign_in_guard set failures = failures - 1, closed_until = now()
    where account_id = ${accountId}`.execute(db);
}

/**
 * A success ends the guard. So does the settlement of an auth account that holds the new password (`outcomes.ts`), such
 * as after a change by the help desk. After a login without a result, a sign-in check of the account is possible again
 * after the shortest time.
 */
export async function settleGuard(
  db: Database,
  accountId: string,
  result: SignInResult,
): Promise<void> {
  if (result === 'holds')
    await sql`delete from sign_in_guard where account_id = ${accountId}`.execute(db);
  if (result === 'unknown')
    await sql`
      update sign_in_guard
      set failures = failures - 1,
          closed_until = now() + make_interval(secs => ${closedForMs(1) / 1000}::float8)
      where account_id = ${accountId}`.execute(db);
}
