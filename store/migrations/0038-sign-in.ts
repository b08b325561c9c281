import { type Kysely, sql } from 'kysely';

/**
 * Sign-ins at an identity provider. A user of the provider has a row of `api_key` that no secret opens, because changes,
 * audit and sessions name their caller by such a row. One user has up to two rows: one for staff, and one that is bound
 * to the user's own identity.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table api_key add column issuer text, add column subject text,
      add check ((issuer is null) = (subject is null))`.execute(db);
  await sql`
    create unique index api_key_subject on api_key (issuer, subject, coalesce(identity_id, ''))
    where issuer is not null and revoked_at is null`.execute(db);
  await sql`alter table session add column authenticated_at timestamptz`.execute(db);
}
