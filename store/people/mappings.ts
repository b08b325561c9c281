import { sql } from 'kysely';
import type { MappingUse } from '../../model/change/adapter-rules';
import { writeAudit } from '../audit';
import { type Database, withTransaction } from '../database';
import { newId } from '../ids';

/** Column with the mappings of account `a` as JSON (`MappingUse` of the model). */
export const mappingsOfAccount = sql<MappingUse[]>`
  coalesce((select json_agg(json_build_object('application', m.application, 'enabled', m.enabled))
            from mapping m where m.account_id = a.id and m.identity_id = a.identity_id), '[]')`;
/** What became of a wanted mapping. `taken`: the person has another mapping of an application that allows one. */
export type MappingLinked = 'linked' | 'missing' | 'taken';

/**
 * Records that a person signs in to an application with one of their accounts, or updates `enabled`.
 * `worker/credentials.ts` stores the credentials.
 * @param link.allowsOne whether a person has at most one mapping of the application; false by default
 * @returns `missing` when the account is not linked to the person
 */
export const linkMapping = (
  db: Database,
  link: {
    readonly identityId: string;
    readonly application: string;
    readonly accountId: string;
    readonly enabled: boolean;
    readonly allowsOne?: boolean;
  },
  by: string,
): Promise<MappingLinked> =>
  withTransaction(db, async (trx) => {
    await lockApplications(trx, [link.application]);
    if (link.allowsOne === true && (await hasOtherMapping(trx, link))) return 'taken';
    const { rows } = await sql<{ id: string }>`
      insert into mapping (id, application, identity_id, account_id, enabled)
      select ${newId('map')}, ${link.application}, identity_id, id, ${link.enabled} from account
      where id = ${link.accountId} and identity_id = ${link.identityId}
      on conflict (application, account_id) do update set enabled = excluded.enabled
      returning id`.execute(trx);
    const [row] = rows;
    if (row === undefined) return 'missing';
    await writeAudit(trx, {
      actor: by,
      action: 'mapping.linked',
      subject: row.id,
      detail: { application: link.application, enabled: link.enabled },
    });
    return 'linked';
  });

/**
 * Makes other transactions wait that create mappings of these applications, so that two of them cannot both find that a
 * person has none.
 */
export async function lockApplications(
  trx: Database,
  applications: readonly string[],
): Promise<void> {
  for (const application of [...new Set(applications)].sort())
    await sql`select pg_advisory_xact_lock(hashtextextended(${`mappings ${application}`}, 0))`.execute(
      trx,
    );
}

/** Whether the person has mappings of the application, and none of them is to this account. */
async function hasOtherMapping(
  trx: Database,
  wanted: { readonly identityId: string; readonly application: string; readonly accountId: string },
): Promise<boolean> {
  const { rows } = await sql<{ other: boolean }>`
    select bool_and(account_id <> ${wanted.accountId}) as other from mapping
    where application = ${wanted.application} and identity_id = ${wanted.identityId}`.execute(trx);
  return rows[0]?.other === true;
}

/** A mapping to create. Its account is linked to the person. */
export interface NewMapping {
  readonly application: string;
  readonly identityId: string;
  readonly accountId: string;
}

/** Creates mappings, in a transaction that has locked their applications and found that none of them exists. */
export async function createMappings(
  trx: Database,
  wanted: readonly NewMapping[],
  enabled: boolean,
  by: string,
): Promise<void> {
  if (wanted.length === 0) return;
  await sql`
    with created as (
      insert into mapping (id, application, identity_id, account_id, enabled)
      select n.id, n.application, a.identity_id, a.id, ${enabled}
      from unnest(${wanted.map(() => newId('map'))}::text[], ${wanted.map(({ application }) => application)}::text[],
                  ${wanted.map(({ identityId }) => identityId)}::text[],
                  ${wanted.map(({ accountId }) => accountId)}::text[]) as n (id, application, identity_id, account_id)
      join account a on a.id = n.account_id and a.identity_id = n.identity_id
      returning id, application
    )
    insert into audit (actor, action, subject, detail)
    select ${by}, 'mapping.linked', id,
           jsonb_build_object('application', application, 'enabled', ${enabled}::boolean)
    from created`.execute(trx);
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
    await sql`update mapping set enabled = ${enabled} where id = ${id}`.execute(trx);
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
