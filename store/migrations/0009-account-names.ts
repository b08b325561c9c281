import { type Kysely, type Migration, sql } from 'kysely';
import type { AccountRulesOf } from '../../model/people/naming';

/**
 * Compares accounts by canonical names, and makes names and ids unique in each source. Links that turn out to name one
 * account stay, and get the problem `linked_twice`: nothing is written to any of them until an operator removes the
 * others.
 */
export const accountNames = (rulesOf: AccountRulesOf): Migration => ({
  async up(db: Kysely<unknown>) {
    for (const statement of columns) await sql.raw(statement).execute(db);
    await setNameKeys(db, rulesOf);
    for (const statement of constraints) await sql.raw(statement).execute(db);
  },
});

const columns = [
  `alter table account add column name_key text, add column id_learnt boolean not null default false,
     add column problem text`,
  `update account set id_learnt = native_id is not null`,
];

const constraints = [
  'alter table account alter column name_key set not null',
  `update account a set problem = 'linked_twice'
   where exists (select from account b
                 where b.source = a.source and b.id <> a.id
                   and (b.name_key = a.name_key or b.native_id = a.native_id))`,
  'alter table account drop constraint account_source_name_key',
  'drop index account_any_case',
  'drop index account_native',
  `create unique index account_name on account (source, name_key)
     where problem is distinct from 'linked_twice'`,
  `create unique index account_native_id on account (source, native_id)
     where problem is distinct from 'linked_twice'`,
  // A search for duplicates reads those with the problem, too.
  'create index account_any_name on account (source, name_key)',
  'create index account_any_native_id on account (source, native_id)',
  `create function lockstep_values(name text, attributes jsonb) returns text[]
     language sql immutable parallel safe
     as $$ select array(select lower(value) from jsonb_each_text(attributes)) || lower(name) $$`,
  'create index identity_values on identity using gin (lockstep_values(name, attributes))',
];

const PAGE = 10_000;

/** Sets the canonical name of each account by the settings of its source in the configuration in force. */
async function setNameKeys(db: Kysely<unknown>, rulesOf: AccountRulesOf): Promise<void> {
  const { rows: newest } = await sql<{ document: Document }>`
    select document from configuration order by version desc limit 1`.execute(db);
  const sources = newest[0]?.document.sources ?? {};
  for (let after = ''; ; ) {
    const { rows } = await sql<{ id: string; source: string; name: string }>`
      select id, source, name from account where id > ${after} order by id limit ${PAGE}`.execute(
      db,
    );
    const keys = rows.map(({ source, name }) =>
      rulesOf(sources[source]).naming.canonicalName(name),
    );
    await sql`
      update account a set name_key = k.key
      from unnest(${rows.map(({ id }) => id)}::text[], ${keys}::text[]) as k (id, key)
      where a.id = k.id`.execute(db);
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    after = last.id;
  }
}

interface Document {
  readonly sources?: Readonly<
    Record<string, { readonly kind: string; readonly settings: unknown }>
  >;
}
