import { exactNaming, linkedAccount } from '../../model/people/naming';
import type { AccountProblem, AccountRef, FoundAccount } from '../contract';
import type { SqlSession } from '../sql/sessions';

/** The properties of a role that every role may read. Its native id is the oid. */
export interface Role extends AccountRef {
  readonly nativeId: string;
  readonly canLogin: boolean;
  /** Whether `VALID UNTIL` has passed, so that every password is rejected. */
  readonly expired: boolean;
}

export type LinkedRole = { readonly role: Role } | { readonly problem: AccountProblem };

/** Reads the role that a link means. */
export async function linkedRole(session: SqlSession, link: AccountRef): Promise<LinkedRole> {
  const { rows } = await session.query(
    `select rolname, oid, rolcanlogin, coalesce(rolvaliduntil < now(), false) as expired,
       rolname in (session_user, current_user) as own
     from pg_catalog.pg_roles where rolname = $1::text or oid::text = $2`,
    [link.name, link.nativeId ?? ''],
  );
  const roles = rows.map((row) => ({
    name: row.rolname ?? '',
    nativeId: row.oid ?? '',
    canLogin: row.rolcanlogin === 't',
    expired: row.expired === 't',
    own: row.own === 't',
  }));
  const linked = linkedAccount(
    exactNaming,
    link,
    roles.find(({ name }) => name === link.name) ?? null,
    roles.find(({ nativeId }) => nativeId === link.nativeId) ?? null,
  );
  if (!linked.found) return linked;
  return linked.account.own ? { problem: 'service_account' } : { role: linked.account };
}

/**
 * Reads the stored verifier of a role. Null if the role has no password.
 * @returns undefined if the service account may not read verifiers, which is checked first to avoid an error in the log
 */
export async function verifierOf(
  session: SqlSession,
  oid: string,
): Promise<string | null | undefined> {
  const may = await session.query(
    `select 1 where pg_catalog.has_column_privilege('pg_catalog.pg_authid', 'rolpassword', 'select')
                and pg_catalog.has_column_privilege('pg_catalog.pg_authid', 'oid', 'select')`,
    [],
  );
  if (may.count === 0) return undefined;
  const { rows } = await session.query(
    'select rolpassword from pg_catalog.pg_authid where oid = $1',
    [oid],
  );
  return rows[0]?.rolpassword ?? null;
}

/** SQL expressions of the attributes by which `find` can search. */
export const ATTRIBUTES: Readonly<Record<string, string>> = {
  role: 'rolname::text',
  comment: `pg_catalog.shobj_description(oid, 'pg_authid')`,
};

/**
 * Reads the login roles that match, in the order of their names.
 * @param filter the LIKE pattern of the settings
 * @param conditions SQL conditions on `ATTRIBUTES`, with parameters from $2 on
 * @param values values of those parameters
 */
export async function rolesWhere(
  session: SqlSession,
  filter: string,
  conditions: readonly string[],
  values: readonly string[],
  limit: number,
): Promise<FoundAccount[]> {
  const shown = [
    'rolcanlogin',
    'not rolsuper',
    'rolname not in (current_user, session_user)',
    'rolname::text like $1',
  ];
  const { rows } = await session.query(
    `select oid, ${ATTRIBUTES.role} as role, ${ATTRIBUTES.comment} as comment
     from pg_catalog.pg_roles where ${[...shown, ...conditions].join(' and ')}
     order by rolname limit ${limit}`,
    [filter, ...values],
  );
  return rows.map(({ oid, role, comment }) => ({
    name: role ?? '',
    nativeId: oid ?? null,
    attributes: { role: [role ?? ''], ...(comment == null ? {} : { comment: [comment] }) },
  }));
}

/**
 * Sets the verifier in a transaction of its own.
 *
 * ALTER ROLE accepts no parameters, and the server logs the whole text of a statement that fails. The values are
 * therefore passed as settings of the transaction, and an error is raised again without the statement. The timeouts end
 * the transaction in the server even if this process has stopped by then.
 * @param onSend called before the statement that writes is sent
 */
export async function alterRole(
  session: SqlSession,
  role: Role,
  verifier: string,
  timeoutMs: number,
  onSend: () => void,
): Promise<void> {
  await session.query('begin');
  await session.query(
    `select pg_catalog.set_config(name, value, true) from (values
       ('statement_timeout', $1), ('lock_timeout', $2), ('lockstep.role', $3), ('lockstep.oid', $4),
       ('lockstep.verifier', $5)
     ) as settings (name, value)`,
    [String(timeoutMs), String(Math.ceil(timeoutMs / 2)), role.name, role.nativeId, verifier],
  );
  onSend();
  await session.query(ALTER_ROLE);
}

/** SQLSTATE of our own: another role has got the name since the role was read. */
export const ANOTHER_ROLE = 'LS001';

/**
 * Number of times that the server alters the role in one statement. PostgreSQL waits for another session that alters the
 * same role, and then fails with an internal error. A repeat in the server meets the other session again far less often
 * than one over the network.
 */
const ATTEMPTS_IN_SERVER = 20;

/** The statement locks the role that it changes, so a check after it is certain. An error undoes the change. */
const ALTER_ROLE = `
do $$
begin
  for attempt in 1..${ATTEMPTS_IN_SERVER} loop
    begin
      execute pg_catalog.format('alter role %I password %L',
        pg_catalog.current_setting('lockstep.role'), pg_catalog.current_setting('lockstep.verifier'));
      exit;
    exception when internal_error then
      if attempt = ${ATTEMPTS_IN_SERVER} then raise; end if;
    end;
  end loop;
  if not exists (
    select from pg_catalog.pg_roles
    where rolname = pg_catalog.current_setting('lockstep.role')
      and oid::text = pg_catalog.current_setting('lockstep.oid')
  ) then
    raise exception using errcode = '${ANOTHER_ROLE}';
  end if;
exception when others or query_canceled then
  raise exception using errcode = sqlstate, message = 'Lockstep: ALTER ROLE failed';
end
$$;
commit`;
