import type { Finding } from '../contract';
import { connectedFindings, unconnectedFindings } from '../sql/checks';
import { postgresFailure } from '../sql/postgres';
import type { Sessions } from '../sql/sessions';
import type { PostgresRoleSettings } from './settings';

/** Returns the findings of `lockstep doctor`: whether the service account has the rights it needs, and no others. */
export async function checkRoles(
  sessions: Sessions,
  { roleFilter }: PostgresRoleSettings,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  try {
    return await sessions.use(signal, async (session) => {
      const { rows } = await session.query(RIGHTS, [roleFilter]);
      const { super: isSuper, creates, shown, mine, refusal } = rows[0] ?? {};
      return [
        ...connectedFindings,
        refusals[refusal ?? ''] ??
          rights(isSuper === 't', creates === 't', Number(shown), Number(mine)),
      ];
    });
  } catch (error) {
    return unconnectedFindings(postgresFailure(error, {}));
  }
}

/**
 * Counts the roles that the service account may change. Up to PostgreSQL 15, CREATEROLE is enough; from 16 on it also
 * needs ADMIN OPTION on each role, which the creator of a role has implicitly.
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
    (select count(*) from shown) as shown, (select count(*) from shown where mine) as mine,
    case
      when pg_catalog.current_setting('transaction_read_only') = 'on' then 'read-only'
      when not exists (
        select from pg_catalog.pg_language
        where lanname = 'plpgsql' and pg_catalog.has_language_privilege(oid, 'usage')
      ) then 'language'
    end as refusal
  from me`;

/** Findings about a server that refuses each write of Lockstep. */
const refusals: Readonly<Record<string, Finding>> = {
  'read-only': {
    check: 'rights',
    verdict: 'wrong',
    says: 'The server is a read-only replica, or makes the transactions of the service account read-only (default_transaction_read_only). Set host to the primary server, or remove that setting.',
  },
  language: {
    check: 'rights',
    verdict: 'wrong',
    says: 'The service account may not use the language plpgsql, with which Lockstep sets passwords. GRANT it USAGE ON LANGUAGE plpgsql in the database of the settings.',
  },
};

function rights(isSuper: boolean, creates: boolean, shown: number, mine: number): Finding {
  if (isSuper)
    return {
      check: 'rights',
      verdict: 'warning',
      says: 'The service account is a superuser, which is more than it needs. Use an account with CREATEROLE and, from PostgreSQL 16 on, ADMIN OPTION on the roles.',
    };
  if (!creates)
    return {
      check: 'rights',
      verdict: 'wrong',
      says: 'The service account may not set passwords. Give it the attribute CREATEROLE.',
    };
  if (mine < shown)
    return {
      check: 'rights',
      verdict: mine === 0 ? 'wrong' : 'warning',
      says: `The service account may set the password of only ${mine} of ${shown} roles. GRANT it the other roles WITH ADMIN OPTION.`,
    };
  return {
    check: 'rights',
    verdict: 'ok',
    says: `The service account may set the password of all ${shown} roles that match roleFilter.`,
  };
}
