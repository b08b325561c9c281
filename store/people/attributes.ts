import { sql } from 'kysely';
import type { AttributeUpdate } from '../../model/people/attribute-updates';
import { writeAudit } from '../audit';
import { type Database, withTransaction } from '../database';
import { keepFormerAddresses } from '../notices/former-addresses';

/**
 * Reads from which account the attributes of each person come: the first one that was linked in a source that adds
 * people. For a person whom a refresh added, it is the account for which they were added.
 * @param sources the sources that add people
 * @returns ids of accounts
 */
export async function readAttributeOwners(
  db: Database,
  sources: readonly string[],
): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ id: string }>`
    select distinct on (identity_id) id from account
    where source = any(${[...sources]}::text[]) order by identity_id, linked_at, id`.execute(db);
  return new Set(rows.map(({ id }) => id));
}

/** People in one transaction. */
const BATCH = 100;

/** Stores attributes as the source shows them. The other attributes of the people stay. */
export async function updateAttributes(
  db: Database,
  source: string,
  updates: readonly AttributeUpdate[],
  by: string,
): Promise<void> {
  for (let at = 0; at < updates.length; at += BATCH)
    await withTransaction(db, async (trx) => {
      for (const { person, changed } of updates.slice(at, at + BATCH)) {
        await keepFormerAddresses(trx, person.name, { ...person.attributes, ...changed });
        await sql`
          update identity set attributes = attributes || ${JSON.stringify(changed)}::jsonb
          where id = ${person.id}`.execute(trx);
        await writeAudit(trx, {
          actor: by,
          action: 'identity.updated',
          subject: person.id,
          detail: { source, attributes: Object.keys(changed).join(', ') },
        });
      }
    });
}
