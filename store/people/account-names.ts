import { type RawBuilder, sql } from 'kysely';
import type { Naming } from '../../model/people/naming';
import type { Database } from '../database';

/** Condition of a statement on `account`: the account of this source has this name, in any spelling. */
export const isNamed = (
  source: string,
  { canonicalName }: Naming,
  name: string,
): RawBuilder<boolean> =>
  sql`(account.source = ${source} and account.name_key = ${canonicalName(name)})`;

/** Two linked accounts of a source that have one name by its naming. */
export interface SharedName {
  readonly source: string;
  readonly accounts: readonly { readonly name: string; readonly person: string }[];
}

/**
 * Finds linked accounts that have one name by this naming. Those that are known to be linked twice are left out.
 */
export async function findSharedNames(
  db: Database,
  source: string,
  { canonicalName }: Naming,
): Promise<SharedName[]> {
  const byKey = new Map<string, { name: string; person: string; known: boolean }[]>();
  for await (const page of pagesOf(db, source))
    for (const { name, person, problem } of page) {
      const key = canonicalName(name);
      byKey.set(key, [
        ...(byKey.get(key) ?? []),
        { name, person, known: problem === 'linked_twice' },
      ]);
    }
  return [...byKey.values()]
    .filter((accounts) => accounts.length > 1 && accounts.some(({ known }) => !known))
    .map((accounts) => ({
      source,
      accounts: accounts.map(({ name, person }) => ({ name, person })),
    }));
}

/** Computes the canonical names of all linked accounts of a source again. No two of them may be the same. */
export async function renewNameKeys(
  trx: Database,
  source: string,
  { canonicalName }: Naming,
): Promise<void> {
  const outdated: AccountName[] = [];
  for await (const page of pagesOf(trx, source))
    for (const { id, name, nameKey } of page) {
      const key = canonicalName(name);
      if (key !== nameKey) outdated.push({ id, name, nameKey: key });
    }
  await setNames(trx, outdated);
}

export interface AccountName {
  readonly id: string;
  readonly name: string;
  readonly nameKey: string;
}

/** Stores names and canonical names. Accounts may exchange their names. */
export async function setNames(trx: Database, accounts: readonly AccountName[]): Promise<void> {
  if (accounts.length === 0) return;
  const ids = accounts.map(({ id }) => id);
  // No name contains this character, so the keys are unique at each moment.
  await sql`update account set name_key = E'\\x01' || id where id = any(${ids}::text[])`.execute(
    trx,
  );
  await sql`
    update account a set name = n.name, name_key = n.key
    from unnest(${ids}::text[], ${accounts.map(({ name }) => name)}::text[],
                ${accounts.map(({ nameKey }) => nameKey)}::text[]) as n (id, name, key)
    where a.id = n.id`.execute(trx);
}

const PAGE = 5_000;

interface Row extends AccountName {
  readonly person: string;
  readonly problem: string | null;
}

async function* pagesOf(db: Database, source: string): AsyncGenerator<readonly Row[]> {
  for (let after = ''; ; ) {
    const { rows } = await sql<Row>`
      select a.id, a.name, a.name_key as "nameKey", i.name as person, a.problem
      from account a join identity i on i.id = a.identity_id
      where a.source = ${source} and a.id > ${after} order by a.id limit ${PAGE}`.execute(db);
    yield rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    after = last.id;
  }
}
