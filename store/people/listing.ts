import { type RawBuilder, sql } from 'kysely';
import type { CredentialOrigin } from '../../model/change/credential-origin';
import type { MappingListState, MappingState } from '../../model/change/mapping';
import type { Database } from '../database';
import { accountsOfIdentity, type IdentityView } from './identities';

/**
 * Lists people by name. The last name of a page is the cursor to the next page.
 * @param page.sources only people with an account in one of these; null for everyone
 * @param page.search only people whose name, an attribute, or an account in `sources` contains this text, in any case
 */
export async function listIdentities(
  db: Database,
  page: {
    readonly limit: number;
    readonly cursor: string | null;
    readonly sources: readonly string[] | null;
    readonly search: string | null;
    /** Only people with an account in `sources` that its source no longer lists. */
    readonly missing: boolean;
  },
): Promise<IdentityView[]> {
  const { rows } = await sql<IdentityView>`
    select id, name, attributes, last_seq as "lastSeq", ${accountsOfIdentity} as accounts
    from identity where (${page.cursor}::text is null or name > ${page.cursor})
      and (${page.sources}::text[] is null or exists (
        select from account a where a.identity_id = identity.id and a.source = any(${page.sources}::text[])))
      and (${!page.missing}::boolean or exists (
        select from account a where a.identity_id = identity.id and a.missing_since is not null
          and (${page.sources}::text[] is null or a.source = any(${page.sources}::text[]))))
      and (${page.search}::text is null or ${contains(page.search, page.sources)})
    order by name limit ${page.limit}`.execute(db);
  return rows;
}

/**
 * An account that the caller may not see finds no person, so that a search does not show who has it. The collation of
 * ICU knows the case of every letter; that of the database may know the ones of ASCII only.
 */
const contains = (search: string | null, sources: readonly string[] | null): RawBuilder<boolean> =>
  sql`exists (
    select from (
      select identity.name as value
      union all select attribute.value from jsonb_each_text(identity.attributes) as attribute
      union all select a.name from account a where a.identity_id = identity.id
        and (${sources}::text[] is null or a.source = any(${sources}::text[]))
    ) searched
    where position(lower(${search}::text collate "und-x-icu") in lower(value collate "und-x-icu")) > 0)`;

/** With which account a person signs in to an application. */
export interface MappingOfPerson {
  readonly application: string;
  readonly source: string;
  readonly account: string;
  readonly enabled: boolean;
  readonly state: MappingState;
  readonly reason: string | null;
  /** How the stored credential came; null for none, and for one that an earlier release stored. */
  readonly storedFrom: CredentialOrigin | null;
}

export async function readMappingsOf(db: Database, identityId: string): Promise<MappingOfPerson[]> {
  return db
    .selectFrom('mapping')
    .innerJoin('account', 'account.id', 'mapping.account_id')
    .where('mapping.identity_id', '=', identityId)
    .select([
      'mapping.application',
      'account.source',
      'account.name as account',
      'mapping.enabled',
      'mapping.state',
      'mapping.reason',
      'mapping.stored_from as storedFrom',
    ])
    .orderBy(['mapping.application', 'account.name'])
    .execute();
}

export interface OwnMapping extends MappingOfPerson {
  readonly id: string;
  readonly accountId: string;
  /** When the credential was stored or flagged; the time of the creation before that. */
  readonly since: Date;
}

/** The mappings of a person, with their ids. */
export async function readOwnMappings(db: Database, identityId: string): Promise<OwnMapping[]> {
  const { rows } = await sql<OwnMapping>`
    select m.id, m.account_id as "accountId", m.application, a.source, a.name as account, m.enabled, m.state, m.reason, m.stored_from as "storedFrom",
           date_trunc('milliseconds', m.updated_at) as since
    from mapping m join account a on a.id = m.account_id
    where m.identity_id = ${identityId} order by m.id`.execute(db);
  return rows;
}

export interface ListedMapping extends MappingOfPerson {
  readonly id: string;
  readonly identity: string;
}

/** Lists the mappings of everyone, the oldest first. The last id of a page is the cursor to the next page. */
export async function listMappings(
  db: Database,
  page: {
    readonly application: string | null;
    readonly identity: string | null;
    /** `disabled`, or the state of the credential of an enabled mapping. */
    readonly state: MappingListState | null;
    readonly limit: number;
    readonly cursor: string | null;
    /** Only mappings to accounts in one of these; null for all. */
    readonly sources: readonly string[] | null;
  },
): Promise<ListedMapping[]> {
  const { rows } = await sql<ListedMapping>`
    select m.id, i.name as identity, m.application, a.source, a.name as account, m.enabled, m.state, m.reason,
           m.stored_from as "storedFrom"
    from mapping m join account a on a.id = m.account_id join identity i on i.id = m.identity_id
    where (${page.cursor}::text is null or m.id > ${page.cursor})
      and (${page.application}::text is null or m.application = ${page.application})
      and (${page.identity}::text is null or i.name = ${page.identity})
      and (${page.state}::text is null or ${page.state} = case when m.enabled then m.state else 'disabled' end)
      and (${page.sources}::text[] is null or a.source = any(${page.sources}::text[]))
    order by m.id limit ${page.limit}`.execute(db);
  return rows;
}
