import { sql } from 'kysely';
import { closedForMs, type SignInResult } from '../../model/captures/sign-in';
import type { Database } from '../database';

/** The worker's side of `sign-ins.ts`. */

export interface SealedSignIn {
  readonly account: {
    readonly id: string;
    readonly name: string;
    readonly nativeId: string | null;
  };
  readonly epochId: string;
  readonly jwe: Buffer;
  readonly expiresAt: Date;
}

/** Gives the sealed password out once, and keeps it no longer: so there is one login, whoever dies. Null when it is gone. */
export async function takeSignIn(db: Database, jobId: string): Promise<SealedSignIn | null> {
  const { rows } = await sql<SealedSignIn>`
    with taken as (
      delete from sealed_sign_in where job_id = ${jobId} and expires_at > now()
      returning account_id, epoch_id, jwe, expires_at
    )
    select json_build_object('id', a.id, 'name', a.name, 'nativeId', a.native_id) as account,
           epoch_id as "epochId", jwe, expires_at as "expiresAt"
    from taken join account a on a.id = taken.account_id`.execute(db);
  return rows[0] ?? null;
}

/** After a login that succeeded the account may be asked again at once; after one of which nothing is known, soon. */
export async function noteSignIn(
  db: Database,
  accountId: string,
  result: SignInResult,
): Promise<void> {
  if (result === 'holds')
    await sql`delete from sign_in_guard where account_id = ${accountId}`.execute(db);
  else if (result === 'unknown')
    await sql`
      update sign_in_guard
      set failures = failures - 1,
          closed_until = now() + make_interval(secs => ${closedForMs(1) / 1000}::float8)
      where account_id = ${accountId}`.execute(db);
  else
    await sql`
      insert into audit (actor, action, subject) values ('worker', 'sign-in.differs', ${accountId})`.execute(
      db,
    );
}

/**
 * Those that no worker took in time: there was no login, so the account may be asked again. What came of old ones is of
 * no use to anybody.
 */
export async function forgetSignIns(db: Database): Promise<void> {
  await sql`
    with late as (
      delete from sealed_sign_in where expires_at <= now() returning account_id
    )
    update sign_in_guard g set failures = g.failures - 1, closed_until = now()
    from late where g.account_id = late.account_id`.execute(db);
  await sql`
    delete from job where kind = 'sign-in' and created_at < now() - interval '10 minutes'`.execute(
    db,
  );
}
