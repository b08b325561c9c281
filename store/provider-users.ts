import { createHash, randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import type { Scope } from '../model/api/scopes';
import { type Caller, ofCaller, revokeApiKeyIn } from './api-keys';
import { type Database, withTransaction } from './database';
import { newId } from './ids';

/** A user of the identity provider, with the rights that the newest sign-in has given. */
export interface ProviderUser {
  readonly issuer: string;
  /** The id of the user at the provider. */
  readonly subject: string;
  /** The name under which the user acts. */
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly groups: readonly string[] | null;
  /** The own identity of the user, for the pages of people; null for staff. */
  readonly identityId: string | null;
}

/**
 * Stores the rights of a user of the identity provider, and returns the caller. The row in `api_key` has the hash of a
 * secret that is thrown away, so no request can present it. It ends when an administrator revokes it; the next sign-in
 * then makes another row.
 */
export async function saveProviderUser(db: Database, user: ProviderUser): Promise<Caller> {
  const { issuer, subject, name, scopes, groups, identityId } = user;
  const unknownHash = createHash('sha256').update(randomBytes(32)).digest();
  const { rows } = await sql<{ keyId: string }>`
    insert into api_key (id, name, hash, scopes, groups, created_by, agent, identity_id, issuer, subject)
    values (${newId('key')}, 'sign-in', ${unknownHash}, ${[...scopes]}::text[], ${groups === null ? null : [...groups]}::text[],
            'lockstep', ${name}, ${identityId}, ${issuer}, ${subject})
    on conflict (issuer, subject, coalesce(identity_id, '')) where issuer is not null and revoked_at is null
    do update set scopes = excluded.scopes, groups = excluded.groups, agent = excluded.agent, last_used_at = now()
    returning id as "keyId"`.execute(db);
  return db
    .selectFrom('api_key')
    .select(['id as keyId', ...ofCaller])
    .select(sql<string>`encode(hash, 'hex')`.as('secretHash'))
    .where('id', '=', rows[0]?.keyId ?? '')
    .executeTakeFirstOrThrow();
}

/**
 * Takes away the rights of a user whom a sign-in has refused, because the provider no longer names a role or a person:
 * all sessions and one-time links end with them.
 * @param isStaff the rights of staff, or those of a person
 */
export const revokeProviderUser = (
  db: Database,
  { issuer, subject }: Pick<ProviderUser, 'issuer' | 'subject'>,
  isStaff: boolean,
): Promise<void> =>
  withTransaction(db, async (trx) => {
    const { rows } = await sql<{ id: string }>`
      select id from api_key
      where issuer = ${issuer} and subject = ${subject} and revoked_at is null
        and (identity_id is null) = ${isStaff}`.execute(trx);
    for (const { id } of rows) await revokeApiKeyIn(trx, id, 'lockstep');
  });
