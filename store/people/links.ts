import { sql } from 'kysely';
import { isOutdated, type Link, linkOf, type NotedProblem } from '../../model/people/links';
import type { LinkOfPerson, SeenLink } from '../../model/people/match-links';
import type { AccountRules, NamedAccount, Naming } from '../../model/people/naming';
import { writeAudit } from '../audit';
import { type Database, isUniqueViolation, withTransaction } from '../database';
import { newId } from '../ids';
import { isNamed, setNames } from './account-names';

export type LinkedBy = 'operator' | 'correlation' | 'refresh' | 'scim';

export interface AccountLink {
  readonly source: string;
  /** The name in any spelling. */
  readonly name: string;
  /** Null when it is not known. */
  readonly nativeId: string | null;
  readonly primary: boolean;
}

/** Why an account was not linked. A link that exists is never moved to another person silently. */
export interface LinkConflict {
  readonly source: string;
  readonly name: string;
  readonly why: 'service_account' | 'linked_to_another_person' | 'linked_twice';
  /** The names under which the account is linked already. */
  readonly linkedAs: readonly string[];
  /** The name of the other person; null unless the account is linked to another one. */
  readonly linkedTo: string | null;
}

export type Linked = { readonly id: string } | { readonly conflict: LinkConflict };

/**
 * Links an account to a person. With `primary`, it becomes their primary account in its source. When an operator links
 * an account again whose stored id is outdated, the id is forgotten, and the next read learns the present one.
 */
export async function linkAccount(
  db: Database,
  identityId: string,
  wanted: AccountLink,
  linkedBy: LinkedBy,
  by: string,
  rules: AccountRules,
): Promise<Linked> {
  const { canonicalId } = rules.naming;
  const link = { ...wanted, nativeId: wanted.nativeId && canonicalId(wanted.nativeId) };
  const conflict = (
    why: LinkConflict['why'],
    links: readonly Link[] = [],
    linkedTo: string | null = null,
  ) => ({
    conflict: {
      source: link.source,
      name: link.name,
      why,
      linkedAs: links.map(({ name }) => name),
      linkedTo,
    },
  });
  if (rules.isServiceAccount(link.name)) return conflict('service_account');
  return withTransaction(db, async (trx) => {
    await lockLinks(trx, link.source);
    const found = linkOf(
      rules.naming,
      await readLinksLike(trx, link.source, rules.naming, link),
      link,
    );
    const links = found.match === 'one' ? [found.link] : found.match === 'none' ? [] : found.links;
    const foreign = links.find((other) => other.identityId !== identityId);
    if (foreign !== undefined)
      return conflict(
        'linked_to_another_person',
        links,
        await personNamed(trx, foreign.identityId),
      );
    const [existing, another] = links;
    // An operator who names the id of an account decides which one is meant.
    const decided = linkedBy === 'operator' && link.nativeId !== null && another === undefined;
    if (found.match === 'contested' && (!decided || existing?.problem === 'linked_twice'))
      return conflict('linked_twice', links);
    const id = existing?.id ?? newId('acc');
    if (link.primary)
      await sql`update account set is_primary = false
                where identity_id = ${identityId} and source = ${link.source} and id <> ${id}`.execute(
        trx,
      );
    if (existing === undefined) await insertLink(trx, id, identityId, link, linkedBy, by, rules);
    else await updateLink(trx, existing, link, linkedBy, rules.naming);
    return { id };
  });
}

async function personNamed(trx: Database, identityId: string): Promise<string> {
  const { name } = await trx
    .selectFrom('identity')
    .select('name')
    .where('id', '=', identityId)
    .executeTakeFirstOrThrow();
  return name;
}

async function insertLink(
  trx: Database,
  id: string,
  identityId: string,
  { source, name, nativeId, primary }: AccountLink,
  linkedBy: LinkedBy,
  by: string,
  { naming }: AccountRules,
): Promise<void> {
  // Correlation and refresh read the account in its source, so no id means that it has none.
  const learnt = nativeId !== null || linkedBy === 'correlation' || linkedBy === 'refresh';
  await sql`
    insert into account (id, identity_id, source, name, name_key, native_id, id_learnt, is_primary, linked_by)
    values (${id}, ${identityId}, ${source}, ${name}, ${naming.canonicalName(name)}, ${nativeId}, ${learnt},
            ${primary}, ${linkedBy})`.execute(trx);
  await writeAudit(trx, {
    actor: by,
    action: 'account.linked',
    subject: id,
    detail: { source, linkedBy, account: name, identity: identityId },
  });
}

async function updateLink(
  trx: Database,
  existing: Link,
  { name, nativeId, primary }: AccountLink,
  linkedBy: LinkedBy,
  { canonicalName }: Naming,
): Promise<void> {
  const outdated = isOutdated(existing.problem) && linkedBy === 'operator';
  const id = nativeId ?? (outdated ? null : existing.nativeId);
  const key = canonicalName(name);
  const renamed = key !== canonicalName(existing.name);
  // The link names another account from now on, which holds no password of an earlier change.
  const replaced = existing.nativeId !== null && id !== existing.nativeId;
  const free = sql`not exists (select from account b where b.source = account.source and b.id <> account.id
                               and b.name_key = ${key})`;
  await sql`
    update account
    set name = case when ${renamed} and ${free} then ${name} else name end,
        name_key = case when ${free} then ${key} else name_key end, native_id = ${id},
        id_learnt = (id_learnt and not ${replaced}) or ${nativeId !== null},
        problem = case when ${linkedBy === 'operator'} then null else problem end,
        applied_seq = case when ${replaced} then 0 else applied_seq end,
        missing_since = case when ${linkedBy === 'operator'} then null else missing_since end,
        is_primary = is_primary or ${primary}
    where id = ${existing.id}`.execute(trx);
}

/** Links of one source are written by one transaction at a time, so that no two of them name one account. */
export async function lockLinks(trx: Database, source: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`links ${source}`}, 0))`.execute(trx);
}

/** Reads the links that have the canonical name or the id of an account. `linkOf` decides which of them means it. */
export async function readLinksLike(
  db: Database,
  source: string,
  naming: Naming,
  { name, nativeId }: NamedAccount,
): Promise<Link[]> {
  const { rows } = await sql<Link>`
    select id, identity_id as "identityId", name, native_id as "nativeId", problem from account
    where ${isNamed(source, naming, name)} or (source = ${source} and native_id = ${nativeId && naming.canonicalId(nativeId)})`.execute(
    db,
  );
  return rows;
}

/** Reads all links of a source. */
export async function readLinks(db: Database, source: string): Promise<LinkOfPerson[]> {
  const { rows } = await sql<LinkOfPerson>`
    select a.id, a.identity_id as "identityId", i.name as person, a.name, a.native_id as "nativeId", a.problem
    from account a join identity i on i.id = a.identity_id where a.source = ${source} order by a.id`.execute(
    db,
  );
  return rows;
}

/**
 * The link that means an account which was found in its source. The account may have been renamed there since it was
 * linked, and another account may have its old name now.
 * @returns null when the account is not linked, or it is not clear which link means it
 */
export async function findLink(
  db: Database,
  source: string,
  naming: Naming,
  account: NamedAccount,
): Promise<Link | null> {
  const found = linkOf(naming, await readLinksLike(db, source, naming, account), account);
  return found.match === 'one' ? found.link : null;
}

/**
 * Removes the link of an account to a person, and with it the mappings of the account. The account stays in its
 * source. If two links named one account, the other one is written again.
 * @returns false when the account is not linked to this person
 */
export async function unlinkAccount(
  db: Database,
  person: string,
  account: { readonly source: string; readonly name: string },
  by: string,
  naming: Naming,
): Promise<boolean> {
  const { source, name } = account;
  return withTransaction(db, async (trx) => {
    await lockLinks(trx, source);
    const { rows } = await sql`
      with unlinked as (
        delete from account where id = (
          select account.id from account join identity on identity.id = account.identity_id
          where identity.name = ${person} and (${isNamed(source, naming, name)} or account.source = ${source} and account.name = ${name})
          order by account.name = ${name} desc limit 1)
        returning id, name, identity_id
      ), audited as (
        insert into audit (actor, action, subject, detail)
        select ${by}, 'account.unlinked', id,
               jsonb_build_object('source', ${source}::text, 'account', name, 'identity', identity_id) from unlinked
      )
      select id from unlinked`.execute(trx);
    await releaseDuplicates(trx, source);
    return rows.length === 1;
  });
}

/** Ends the problem `linked_twice` of links that are now the only ones of their account. */
export async function releaseDuplicates(trx: Database, source: string): Promise<void> {
  await sql`
    update account a set problem = null
    where source = ${source} and problem = 'linked_twice'
      and not exists (select from account b
                      where b.source = a.source and b.id <> a.id
                        and (b.name_key = a.name_key or b.native_id = a.native_id))`.execute(trx);
}

/**
 * Stores the id and the name of a linked account as its source has just shown them. The caller has established that the
 * link means this account.
 * @returns `linked_twice` when another link has the id; then nothing is stored
 */
export async function learnAccount(
  db: Database,
  accountId: string,
  { name, nativeId: shown }: NamedAccount,
  { canonicalName, canonicalId }: Naming,
): Promise<'learnt' | 'linked_twice'> {
  const key = canonicalName(name);
  const nativeId = shown && canonicalId(shown);
  try {
    const { rows } = await sql`
      update account a
      set name = case when taken.name then a.name else ${name} end,
          name_key = case when taken.name then a.name_key else ${key} end,
          native_id = coalesce(${nativeId}, a.native_id), id_learnt = true,
          problem = case when a.problem = 'linked_twice' then a.problem end, missing_since = null
      from (select coalesce(bool_or(b.name_key = ${key}), false) as name,
                   coalesce(bool_or(b.native_id = ${nativeId}), false) as id
            from account mine join account b on b.source = mine.source and b.id <> mine.id
            where mine.id = ${accountId} and (b.name_key = ${key} or b.native_id = ${nativeId})) taken
      where a.id = ${accountId} and not taken.id
      returning a.id`.execute(db);
    return rows.length === 0 ? 'linked_twice' : 'learnt';
  } catch (error) {
    // Another worker has stored the id in this moment.
    if (uniqueIndexes.some((index) => isUniqueViolation(error, index))) return 'linked_twice';
    throw error;
  }
}

/** Stores the ids and names of linked accounts as a refresh has read them. The names of `takesName` are free. */
export async function learnAccounts(
  db: Database,
  source: string,
  seen: readonly SeenLink<NamedAccount>[],
  { canonicalName, canonicalId }: Naming,
  by: string,
): Promise<void> {
  const renamed = seen.filter(
    ({ link, account, takesName }) => takesName && link.name !== account.name,
  );
  await withTransaction(db, async (trx) => {
    await lockLinks(trx, source);
    await setNames(
      trx,
      renamed.map(({ link: { id }, account: { name } }) => ({
        id,
        name,
        nameKey: canonicalName(name),
      })),
    );
    await sql`
      insert into audit (actor, action, subject, detail)
      select ${by}, 'account.renamed', id, jsonb_build_object('source', ${source}::text)
      from unnest(${renamed.map(({ link }) => link.id)}::text[]) as id`.execute(trx);
    await sql`
      update account a
      set native_id = coalesce(s.native_id, a.native_id), id_learnt = true,
          problem = case when a.problem = 'linked_twice' then a.problem end
      from unnest(${seen.map(({ link }) => link.id)}::text[],
                  ${seen.map(({ account: { nativeId } }) => nativeId && canonicalId(nativeId))}::text[]) as s (id, native_id)
      where a.id = s.id
        and (not a.id_learnt or a.problem <> 'linked_twice' or a.native_id is distinct from s.native_id)
        and not exists (select from account b where b.source = a.source and b.id <> a.id
                                                and b.native_id = s.native_id)`.execute(trx);
  });
}

const uniqueIndexes = ['account_name', 'account_native_id'];

/** Records a problem that the source has shown of these links. */
export async function noteProblem(
  db: Database,
  accountIds: readonly string[],
  problem: NotedProblem,
): Promise<void> {
  if (accountIds.length === 0) return;
  await sql`
    with noted as (
      update account set problem = ${problem}, problem_at = now()
      where id = any(${[...accountIds]}::text[])
        and problem is distinct from ${problem} and problem is distinct from 'linked_twice'
      returning id, source
    )
    insert into audit (actor, action, subject, detail)
    select 'worker', 'account.outdated', id, jsonb_build_object('source', source, 'problem', ${problem}::text) from noted`.execute(
    db,
  );
}

/** Ends a problem that the source showed earlier, because the account of the link was written. */
export async function endProblem(db: Database, accountId: string): Promise<void> {
  await sql`
    update account set problem = null, missing_since = null
    where id = ${accountId} and problem <> 'linked_twice'`.execute(db);
}
