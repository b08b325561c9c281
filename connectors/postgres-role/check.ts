import type { Finding } from '../contract';
import { connectedFindings, unconnectedFindings } from '../sql/checks';
import { postgresFailure } from '../sql/postgres';
import type { Sessions } from '../sql/sessions';
import type { PostgresRoleSettings } from './settings';

/** Whether the service account can do its work, and no more than that. */
export async function checkRoles(
  sessions: Sessions,
  { roleFilter }: PostgresRoleSettings,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  try {
    return await sessions.use(signal, async (session) => {
      const { rows } = await session.query(RIGHTS, [roleFilter]);
      const { super: isSuper, creates, shown, mine } = rows[0] ?? {};
      return [
        ...connectedFindings,
        rights(isSuper === 't', creates === 't', Number(shown), Number(mine)),
      ];
    });
  } catch (error) {
    return unconnectedFindings(postgresFailure(error, {}));
  }
}

/**
 * CREATEROLE is enough up to PostgreSQL 15; from 16 on it takes ADMIN OPTION on each role besides, which the creator of
 * a role has by itself.
 */
const RIGHTS = `
  with me as (select * from pg_catalog.pg_roles where rolname = current_user),
  shown as (
    select pg_catalog.current_setting('server_version_num')::int < 160000
        or pg_catalog.pg_has_role(oid, 'USAGE WITH ADMIN OPTION') as mine
    from pg_catalog.pg_roles
    where rolcanlogin and not rolsuper and rolname <> current_user and rolname::text like $1
  )
  select rolsuper as super, rolcreaterole as creates,
    (select count(*) from shown) as shown, (select count(*) from shown where mine) as mine
  from me`;

function rights(isSuper: boolean, creates: boolean, shown: number, mine: number): Finding {
  if (isSuper)
    return {
      check: 'rights',
      verdict: 'warning',
      says: 'The service account is a superuser. CREATEROLE, with ADMIN OPTION on the roles from PostgreSQL 16 on, is enough.',
    };
  if (!creates)
    return {
      check: 'rights',
      verdict: 'wrong',
      says: 'The service account may not set passwords. Give it CREATEROLE.',
    };
  if (mine < shown)
    return {
      check: 'rights',
      verdict: mine === 0 ? 'wrong' : 'warning',
      says: `The service account may set the password of ${mine} of ${shown} roles. GRANT it the others WITH ADMIN OPTION.`,
    };
  return {
    check: 'rights',
    verdict: 'ok',
    says: `The service account may set the password of all ${shown} roles that roleFilter shows.`,
  };
}
