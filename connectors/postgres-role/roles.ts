import type { AccountRef, FoundAccount } from '../contract';
import type { SqlSession } from '../sql/sessions';

/** What PostgreSQL tells everybody about a role. */
export interface Role {
  readonly name: string;
  readonly oid: string;
  readonly canLogin: boolean;
  /** `VALID UNTIL` has passed: no password is right any more. */
  readonly expired: boolean;
}

/** By its oid, which survives a rename; by name only where no oid is known. */
export async function roleOf(session: SqlSession, account: AccountRef): Promise<Role | null> {
  const [condition, value] =
    account.nativeId === null
      ? ['rolname = $1::text', account.name]
      : ['oid = $1', account.nativeId];
  const { rows } = await session.query(
    `select rolname, oid, rolcanlogin, coalesce(rolvaliduntil < now(), false) as expired
     from pg_catalog.pg_roles where ${condition}`,
    [value],
  );
  const [row] = rows;
  if (row === undefined) return null;
  return {
    name: row.rolname ?? '',
    oid: row.oid ?? '',
    canLogin: row.rolcanlogin === 't',
    expired: row.expired === 't',
  };
}

/**
 * What PostgreSQL keeps instead of the password; null where it keeps none.
 * @returns undefined when the service account may not see it, which it asks before it would be refused
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

/** What can be looked for, as SQL. */
export const ATTRIBUTES: Readonly<Record<string, string>> = {
  role: 'rolname::text',
  comment: `pg_catalog.shobj_description(oid, 'pg_authid')`,
};

/**
 * @param conditions SQL over `ATTRIBUTES`, with parameters from $2 on
 * @param filter the LIKE pattern of the settings
 */
export async function rolesWhere(
  session: SqlSession,
  filter: string,
  conditions: readonly string[],
  values: readonly string[],
  limit: number,
): Promise<FoundAccount[]> {
  const shown = ['rolcanlogin', 'not rolsuper', 'rolname <> current_user', 'rolname::text like $1'];
  const { rows } = await session.query(
    `select oid, ${ATTRIBUTES.role} as role, ${ATTRIBUTES.comment} as comment
     from pg_catalog.pg_roles where ${[...shown, ...conditions].join(' and ')}
     order by rolname limit ${limit}`,
    [filter, ...values],
  );
  return rows.map(({ oid, role, comment }) => ({
    name: role ?? '',
    nativeId: oid ?? null,
    attributes: { role: role ?? '', ...(comment == null ? {} : { comment }) },
  }));
}

/**
 * Sets the verifier in a transaction of its own.
 *
 * ALTER ROLE takes no parameters, and a statement that fails is logged by the server with all that is written in it.
 * So the values travel as settings of the transaction, and the error is raised anew, without the statement. The
 * timeouts end it in the server also when we are gone by then.
 * @param onSend called before the statement goes out that writes
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
       ('statement_timeout', $1), ('lock_timeout', $2), ('lockstep.role', $3), ('lockstep.verifier', $4)
     ) as settings (name, value)`,
    [String(timeoutMs), String(Math.ceil(timeoutMs / 2)), role.name, verifier],
  );
  onSend();
  await session.query(ALTER_ROLE);
}

const ALTER_ROLE = `
do $$
begin
  execute pg_catalog.format('alter role %I password %L',
    pg_catalog.current_setting('lockstep.role'), pg_catalog.current_setting('lockstep.verifier'));
exception when others or query_canceled then
  raise exception using errcode = sqlstate, message = 'Lockstep: ALTER ROLE failed';
end
$$;
commit`;
