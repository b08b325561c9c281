import { sql } from 'kysely';
import { writeAudit } from '../audit';
import type { Database } from '../database';
import { newId } from '../ids';

/**
 * Records that a person signs in to an application with one of their accounts, or updates `enabled`.
 * `worker/credentials.ts` stores the credentials.
 * @returns false when the account is not linked to the person
 */
export async function linkMapping(
  db: Database,
  link: {
    readonly identityId: string;
    readonly application: string;
    readonly accountId: string;
    readonly enabled: boolean;
  },
  by: string,
): Promise<boolean> {
  return db.transaction().execute(async (trx) => {
    const { rows } = await sql<{ id: string }>`
      insert into mapping (id, application, identity_id, account_id, enabled)
      select ${newId('map')}, ${link.application}, identity_id, id, ${link.enabled} from account
      where id = ${link.accountId} and identity_id = ${link.identityId}
      on conflict (application, account_id) do update set enabled = excluded.enabled
      returning id`.execute(trx);
    const [row] = rows;
    if (row === undefined) return false;
    await writeAudit(trx, {
      actor: by,
      action: 'mapping.linked',
      subject: row.id,
      detail: { application: link.application, enabled: link.enabled },
    });
    return true;
  });
}
