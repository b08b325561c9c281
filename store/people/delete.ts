import { sql } from 'kysely';
import { writeAudit } from '../audit';
import { type Database, withTransaction } from '../database';
import { lockLinks, releaseDuplicates } from './links';

export type Deleted = 'deleted' | 'unknown' | 'change_open';

/**
 * Deletes a person with links, mappings, changes, notices and sessions. The accounts stay as they are in their sources, and the
 * audit records stay. A change that is accepted at the same moment waits for the lock, and then finds no person.
 */
export const deleteIdentity = (db: Database, name: string, by: string): Promise<Deleted> =>
  withTransaction(db, async (trx) => {
    // The same order of locks as when a person is saved: first the person, then the links of each source.
    const { rows } = await sql<{ id: string }>`
      select id from identity where name = ${name} for no key update`.execute(trx);
    const [identity] = rows;
    if (identity === undefined) return 'unknown';
    const { rows: sources } = await sql<{ source: string }>`
      select distinct source from account where identity_id = ${identity.id} order by source`.execute(
      trx,
    );
    for (const { source } of sources) await lockLinks(trx, source);
    const { rows: open } = await sql`
      select from change where identity_id = ${identity.id} and ended_at is null limit 1`.execute(
      trx,
    );
    if (open.length > 0) return 'change_open';
    await sql`
      update api_key set revoked_at = now(), agent = null
      where identity_id = ${identity.id} and issuer is not null and revoked_at is null`.execute(
      trx,
    );
    await sql`delete from identity where id = ${identity.id}`.execute(trx);
    for (const { source } of sources) await releaseDuplicates(trx, source);
    await writeAudit(trx, {
      actor: by,
      action: 'identity.deleted',
      subject: identity.id,
      detail: { person: name },
    });
    return 'deleted';
  });
