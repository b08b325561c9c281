import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import type { OutcomeState } from '../../model/change/outcome';
import { Secret } from '../../model/passwords/secret';
import type { Database } from '../database';
import type { MasterKey } from './keys/key-store';

/**
 * The single sign-on credential store. Unlike a password in transit, a stored credential must be readable later, so it is
 * sealed under a master key (AES-256-GCM) that only the worker and the lookup service hold.
 */
const VERSION = 1;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Bound to its mapping and to the change that wrote it: a credential moved to another row does not open. */
export function sealCredential(
  master: MasterKey,
  mappingId: string,
  seq: number,
  credential: Secret,
): Buffer {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', master.key, iv).setAAD(boundTo(mappingId, seq));
  const sealed = credential.use((bytes) => Buffer.concat([cipher.update(bytes), cipher.final()]));
  return Buffer.concat([Buffer.of(VERSION), iv, cipher.getAuthTag(), sealed]);
}

/** @throws Error when it was sealed for another mapping, under another key, or was tampered with */
export function unsealCredential(
  master: MasterKey,
  mappingId: string,
  seq: number,
  sealed: Buffer,
): Secret {
  if (sealed[0] !== VERSION) throw new Error(`Mapping ${mappingId} has an unknown format`);
  const iv = sealed.subarray(1, 1 + IV_BYTES);
  const tag = sealed.subarray(1 + IV_BYTES, 1 + IV_BYTES + TAG_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', master.key, iv)
    .setAAD(boundTo(mappingId, seq))
    .setAuthTag(tag);
  const bytes = decipher.update(sealed.subarray(1 + IV_BYTES + TAG_BYTES));
  decipher.final();
  return Secret.of(bytes);
}

const boundTo = (mappingId: string, seq: number): Buffer =>
  Buffer.from(`lockstep-mapping\n${mappingId}\n${seq}`);

/** A mapping whose account is settled in this change and which does not tell of it yet. */
export interface MappingToSettle {
  readonly id: string;
  readonly application: string;
  readonly source: string;
  readonly enabled: boolean;
  readonly outcome: { readonly state: OutcomeState; readonly inDoubt: boolean };
}

export async function readMappingsToSettle(
  db: Database,
  changeId: string,
): Promise<MappingToSettle[]> {
  const { rows } = await sql<MappingToSettle>`
    select m.id, m.application, o.source, m.enabled, json_build_object('state', o.state, 'inDoubt', o.in_doubt) as outcome
    from outcome o
    join change c on c.id = o.change_id
    join mapping m on m.account_id = o.account_id and m.identity_id = c.identity_id
    where o.change_id = ${changeId} and m.applied_seq < c.seq
      and o.state not in ('pending', 'applying', 'waiting', 'parked', 'not_applicable')`.execute(
    db,
  );
  return rows;
}

export interface AdvancedMapping {
  readonly id: string;
  readonly sealed: Buffer;
  readonly masterKeyId: string;
}

/** Only where no newer change has written the account meanwhile: that one's mapping is newer too. */
export async function advanceMappings(
  db: Database,
  change: { readonly id: string; readonly seq: number },
  advanced: readonly AdvancedMapping[],
): Promise<void> {
  if (advanced.length === 0) return;
  await sql`
    with advanced as (
      update mapping m
      set sealed = n.sealed, master_key_id = n.master_key_id, applied_seq = ${change.seq},
          state = 'in_sync', reason = null, updated_at = now()
      from unnest(${advanced.map(({ id }) => id)}::text[], ${advanced.map((a) => a.sealed)}::bytea[],
                  ${advanced.map((a) => a.masterKeyId)}::text[]) as n (id, sealed, master_key_id), account a
      where m.id = n.id and a.id = m.account_id and a.applied_seq = ${change.seq} and m.applied_seq < ${change.seq}
      returning m.id, m.application
    )
    insert into audit (actor, action, change_id, subject, detail)
    select 'worker', 'mapping.advanced', ${change.id}, id, jsonb_build_object('application', application)
    from advanced`.execute(db);
}

/** `hash_only`: the system got a hash, with which nobody signs in. */
export type FlagReason = 'in_doubt' | 'hash_only' | 'mapping_disabled' | 'application_disabled';

/** It does not tell, or may not tell, what its system holds. */
export async function flagMappings(
  db: Database,
  change: { readonly id: string; readonly seq: number },
  flagged: readonly { readonly id: string; readonly reason: FlagReason }[],
): Promise<void> {
  if (flagged.length === 0) return;
  await sql`
    with flagged as (
      update mapping m set state = 'out_of_sync', reason = n.reason, updated_at = now()
      from unnest(${flagged.map(({ id }) => id)}::text[],
                  ${flagged.map(({ reason }) => reason)}::text[]) as n (id, reason)
      where m.id = n.id and m.applied_seq < ${change.seq}
        and (m.state <> 'out_of_sync' or m.reason is distinct from n.reason)
      returning m.id, m.reason
    )
    insert into audit (actor, action, change_id, subject, detail)
    select 'worker', 'mapping.flagged', ${change.id}, id, jsonb_build_object('reason', reason)
    from flagged`.execute(db);
}
