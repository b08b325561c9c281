import { sql } from 'kysely';
import { closedForMs } from '../../model/captures/sign-in';
import type { Database } from '../database';
import { channels } from '../notifications';

/** A sign-in check: an account is asked whether it holds this sealed password. Only the worker can open it, once. */
export interface NewSignIn {
  /** The id of the job of this check. */
  readonly id: string;
  readonly accountId: string;
  readonly source: string;
  readonly identityId: string;
  readonly epochId: string;
  readonly jwe: Buffer;
  readonly expiresAt: Date;
  readonly requestedBy: string;
  /** What the login is for. By default it is only a check. */
  readonly purpose?: LoginPurpose;
}

interface LoginPurpose {
  readonly kind: 'sign-in' | 'set-credentials';
  /** Further parameters of the job, which hold nothing secret. */
  readonly parameters: Readonly<Record<string, string>>;
  /** False if no login is made, so that there is nothing to guard. */
  readonly guarded: boolean;
  /** The audit record of a request that the guard blocks. */
  readonly blocked: { readonly action: string; readonly subject: string; readonly detail: object };
}

const checkOnly = ({ accountId }: NewSignIn): LoginPurpose => ({
  kind: 'sign-in',
  parameters: {},
  guarded: true,
  blocked: { action: 'sign-in.blocked', subject: accountId, detail: {} },
});

/** Part of a statement: how long the account is not asked again after this many failures in a row. */
export const closedFor = (failures: ReturnType<typeof sql>) => sql`
  make_interval(secs => case when ${failures} < 2 then ${closedForMs(1) / 1000}::float8
                             else ${closedForMs(2) / 1000}::float8 end)`;

/**
 * Requests a sign-in check, unless a check of the account failed lately or is under way. Only one check runs at a
 * time, so that many parallel guesses count as one. The check counts as a failure until its result is known, even if
 * a process dies (I11). `worker/jobs/jobs.ts` makes the check.
 * @returns null when the check was requested, else the number of seconds until the account may be asked again
 */
export async function requestSignIn(db: Database, wanted: NewSignIn): Promise<number | null> {
  const { kind, parameters, guarded, blocked } = wanted.purpose ?? checkOnly(wanted);
  const opened = guarded
    ? openGuard(wanted.accountId)
    : sql`select ${wanted.accountId}::text as account_id`;
  const { rows } = await sql<{ opened: boolean; seconds: number }>`
    with opened as (${opened}), requested as (
      insert into job (id, kind, source, parameters, requested_by)
      select ${wanted.id}, ${kind}, ${wanted.source},
             ${JSON.stringify(parameters)}::jsonb
               || jsonb_build_object('accountId', account_id, 'identityId', ${wanted.identityId}::text),
             ${wanted.requestedBy}
      from opened returning id
    ), blocked as (
      insert into audit (actor, action, subject, detail)
      select ${wanted.requestedBy}, ${blocked.action}, ${blocked.subject},
             ${JSON.stringify(blocked.detail)}::jsonb ||
             jsonb_build_object('source', ${wanted.source}::text, 'identity', ${wanted.identityId}::text)
      where not exists (select from opened)
    ), sealed as (
      insert into sealed_sign_in (job_id, account_id, epoch_id, jwe, expires_at)
      select ${wanted.id}, account_id, ${wanted.epochId}, ${wanted.jwe}, ${wanted.expiresAt} from opened
    )
    select exists (select from opened) as opened,
           (select count(pg_notify(${channels.job}, id)) from requested) as notified,
           (select greatest(1, ceil(extract(epoch from closed_until - now())))::int
            from sign_in_guard where account_id = ${wanted.accountId}) as seconds`.execute(db);
  const [answer] = rows;
  return answer?.opened === true ? null : (answer?.seconds ?? 1);
}

/** Part of a statement: counts a failure before the login is made. It returns no row while the guard is closed. */
const openGuard = (accountId: string) => sql`
  insert into sign_in_guard as g (account_id, failures, closed_until)
  values (${accountId}, 1, now() + ${closedFor(sql`1`)})
  on conflict (account_id) do update
    set failures = g.failures + 1, closed_until = now() + ${closedFor(sql`g.failures + 1`)}
    where g.closed_until <= now()
  returning account_id`;
