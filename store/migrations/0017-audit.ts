import { type Kysely, sql } from 'kysely';

/**
 * The audit chain is keyed with a key that only the worker has: each record names its key. Records that were chained
 * before stay as they are. From now on no record is chained without a key, so that a worker of the previous release
 * cannot continue the unkeyed chain. The indexes serve the filters of `GET /v1/audit`. A job may concern no source.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table audit add column key_id text`.execute(db);
  await sql`
    alter table audit
      add constraint audit_is_keyed check (position is null or key_id is not null) not valid`.execute(
    db,
  );
  await sql`create index audit_subject on audit (subject) where subject is not null`.execute(db);
  await sql`
    create index audit_identity on audit ((detail ->> 'identity')) where detail ? 'identity'`.execute(
    db,
  );
  await sql`alter table job alter column source drop not null`.execute(db);
}
