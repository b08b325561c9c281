import { sql } from 'kysely';
import type { MappingUse } from '../../model/change/adapter-rules';
import { writeAudit } from '../audit';
import type { Database } from '../database';
import { newId } from '../ids';

/** Column with the mappings of account `a` as JSON (`MappingUse` of the model). */
export const mappingsOfAccount = sql<MappingUse[]>`
  coalesce((select json_agg(json_build_object('application', m.application, 'enabled', m.enabled))
            from mapping m where m.account_id = a.id and m.identity_id = a.identity_id), '[]')`;

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

/** Enables or disables a mapping. @returns false when there is none with this id */
export async function enableMapping(
  db: Database,
  id: string,
  enabled: boolean,
  by: string,
): Promise<boolean> {
  return db.transaction().execute(async (trx) => {
    const mapping = await lockMapping(trx, id);
    if (mapping === undefined) return false;
    await sql`update mapping set enabled = ${enabled}, updated_at = now() where id = ${id}`.execute(
      trx,
    );
    await writeAudit(trx, {
      actor: by,
      action: enabled ? 'mapping.enabled' : 'mapping.disabled',
      subject: id,
      detail: mapping.detail,
    });
    return true;
  });
}

/** Deletes a disabled mapping with its credential. The account stays linked to the person. */
export async function deleteMapping(
  db: Database,
  id: string,
  by: string,
): Promise<'deleted' | 'enabled' | 'missing'> {
  return db.transaction().execute(async (trx) => {
    const mapping = await lockMapping(trx, id);
    if (mapping === undefined) return 'missing';
    if (mapping.enabled) return 'enabled';
    await trx.deleteFrom('mapping').where('id', '=', id).execute();
    await writeAudit(trx, {
      actor: by,
      action: 'mapping.deleted',
      subject: id,
      detail: mapping.detail,
    });
    return 'deleted';
  });
}

interface LockedMapping {
  readonly enabled: boolean;
  /** What audit records of the mapping contain, so that they stay readable after it is deleted. */
  readonly detail: Readonly<Record<'application' | 'identity' | 'source' | 'account', string>>;
}

async function lockMapping(trx: Database, id: string): Promise<LockedMapping | undefined> {
  const { rows } = await sql<LockedMapping>`
    select m.enabled, json_build_object('application', m.application, 'identity', m.identity_id,
                                        'source', a.source, 'account', a.name) as detail
    from mapping m join account a on a.id = m.account_id
    where m.id = ${id} for update of m`.execute(trx);
  return rows[0];
}
