import { sql } from 'kysely';
import type { MappingState } from '../../model/change/mapping';
import type { Database } from '../database';
import { accountsOfIdentity, type IdentityView } from './identities';

/**
 * Lists people by name. The last name of a page is the cursor to the next page.
 * @param page.sources only people with an account in one of these; null for everyone
 */
export async function listIdentities(
  db: Database,
  page: {
    readonly limit: number;
    readonly cursor: string | null;
    readonly sources: readonly string[] | null;
  },
): Promise<IdentityView[]> {
  const { rows } = await sql<IdentityView>`
    select id, name, attributes, last_seq as "lastSeq", ${accountsOfIdentity} as accounts
    from identity where (${page.cursor}::text is null or name > ${page.cursor})
      and (${page.sources}::text[] is null or exists (
        select from account a where a.identity_id = identity.id and a.source = any(${page.sources}::text[])))
    order by name limit ${page.limit}`.execute(db);
  return rows;
}

/** With which account a person signs in to an application. */
export interface MappingOfPerson {
  readonly application: string;
  readonly source: string;
  readonly account: string;
  readonly enabled: boolean;
  readonly state: MappingState;
  readonly reason: string | null;
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
    ])
    .orderBy(['mapping.application', 'account.name'])
    .execute();
}
