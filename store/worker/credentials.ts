import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import type { CredentialOrigin } from '../../model/change/credential-origin';
import type { KEY_STORE_UNAVAILABLE } from '../../model/change/mapping';
import type { OutcomeState, Proof } from '../../model/change/outcome';
import { Secret } from '../../model/passwords/secret';
import type { Database } from '../database';
import type { MasterKey } from './keys/key-store';

/**
 * First byte of a sealed credential: the version of its format. A credential of the single sign-on store must be
 * readable later, unlike a password in transit. It is therefore sealed under a master key (AES-256-GCM) that only the
 * worker and the lookup service hold.
 */
const VERSION = 1;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Seals a credential under a master key. It is bound to its mapping and to the change that wrote it, so that a
 * credential that was moved to another row cannot be opened.
 * @returns version, initialization vector, authentication tag and ciphertext
 */
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

/**
 * Opens a sealed credential.
 * @throws Error when it was sealed for another mapping or change, under another key, was altered, or has an unknown
 *   format
 */
export function unsealCredential(
  master: MasterKey,
  mappingId: string,
  seq: number,
  sealed: Buffer,
): Secret {
  if (sealed[0] !== VERSION)
    throw new Error(
      `The credential of mapping ${mappingId} has an unknown format. Change the password of its account to store a new one.`,
    );
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

/** A mapping that a change has to bring up to date, because the outcome of its account is settled. */
export interface MappingToSettle {
  readonly id: string;
  readonly application: string;
  readonly accountId: string;
  readonly source: string;
  readonly enabled: boolean;
  /** Null when the change does not write the account: the credential may follow the directory directly. */
  readonly outcome: {
    readonly state: OutcomeState;
    readonly inDoubt: boolean;
    readonly proof: Proof;
  } | null;
  /** The source of the auth account, if that holds the new password; else null. */
  readonly authSource: string | null;
  /** True when the password was captured in the account, and the change was refused. */
  readonly isOrigin: boolean;
  /** True when the new password was captured in the account, which holds it as it was typed there. */
  readonly holdsTyped: boolean;
}

/**
 * Reads the mappings that still hold an older credential although the outcome of their account in this change is
 * settled. Once the auth account holds the new password, also the mappings of accounts that the change does not write.
 */
export async function readMappingsToSettle(
  db: Database,
  changeId: string,
): Promise<MappingToSettle[]> {
  const { rows } = await sql<MappingToSettle>`
    select m.id, m.application, m.account_id as "accountId", o.source, m.enabled, json_build_object('state', o.state, 'inDoubt', o.in_doubt, 'proof', o.proof) as outcome,
           o.reason is not distinct from 'origin' as "holdsTyped", null as "authSource",
           o.account_id is not distinct from c.origin_account_id
             and o.state in ('rejected', 'not_attempted') as "isOrigin"
    from outcome o
    join change c on c.id = o.change_id
    join mapping m on m.account_id = o.account_id and m.identity_id = c.identity_id
    where o.change_id = ${changeId} and m.applied_seq < c.seq
      and o.state not in ('pending', 'applying', 'waiting', 'parked', 'not_applicable')
    union all
    select m.id, m.application, a.id, a.source, m.enabled, null, false, auth.source, false
    from change c
    join outcome auth on auth.change_id = c.id and auth.role = 'auth' and auth.state = 'applied'
    join account a on a.identity_id = c.identity_id
    join mapping m on m.account_id = a.id and m.identity_id = c.identity_id
    where c.id = ${changeId} and not c.partial and m.applied_seq < c.seq
      and not exists (select from outcome o where o.change_id = c.id and o.account_id = a.id
                        and o.state <> 'not_applicable')`.execute(db);
  return rows;
}

/** A stored credential. It is bound to its mapping and to the change `seq` that wrote it. */
export interface StoredCredential {
  readonly id: string;
  readonly seq: number;
  readonly masterKeyId: string;
  readonly sealed: Buffer;
}

/**
 * Reads the credential that the enabled mappings of an account have stored in these applications. Several mappings may
 * hold it. A mapping that missed a change holds an older one, which is not read.
 */
export async function readCredentials(
  db: Database,
  accountId: string,
  applications: readonly string[],
): Promise<StoredCredential[]> {
  const { rows } = await sql<StoredCredential>`
    select m.id, m.applied_seq as seq, m.master_key_id as "masterKeyId", m.sealed
    from mapping m join account a on a.id = m.account_id and a.identity_id = m.identity_id
    where m.account_id = ${accountId} and m.application = any(${[...applications]}::text[])
      and m.enabled and m.sealed is not null
    order by m.applied_seq desc fetch first row with ties`.execute(db);
  return rows;
}

/** The open change whose password an account holds, and which has not stored it as a credential; null if there is none. */
export async function readUnstored(db: Database, accountId: string): Promise<string | null> {
  const { rows } = await sql<{ id: string }>`
    select c.id from account a join change c on c.identity_id = a.identity_id and c.seq = a.applied_seq
    where a.id = ${accountId} and c.ended_at is null and exists (
      select from mapping m where m.account_id = a.id and m.enabled and m.applied_seq < a.applied_seq)`.execute(
    db,
  );
  return rows[0]?.id ?? null;
}

/** A new credential for a mapping, sealed under the master key `masterKeyId`. */
export interface AdvancedMapping {
  readonly id: string;
  readonly sealed: Buffer;
  readonly masterKeyId: string;
  /** `followed`: the credential follows the directory, whatever the account of the mapping holds. */
  readonly storedFrom: CredentialOrigin;
}

/**
 * Stores new credentials. A mapping is skipped where a newer change has written the account in the meantime, because
 * that change updates the mapping as well, and where it was disabled in the meantime; the close of the change flags it.
 */
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
          state = 'in_sync', reason = null, stored_from = n.stored_from, updated_at = now()
      from unnest(${advanced.map(({ id }) => id)}::text[], ${advanced.map((a) => a.sealed)}::bytea[],
                  ${advanced.map((a) => a.masterKeyId)}::text[], ${advanced.map(({ storedFrom }) => storedFrom)}::text[])
             as n (id, sealed, master_key_id, stored_from), account a
      where m.id = n.id and a.id = m.account_id and (a.applied_seq = ${change.seq} or n.stored_from = 'followed') and m.applied_seq < ${change.seq}
        and m.enabled
      returning m.id, m.application
    )
    insert into audit (actor, action, change_id, subject, detail)
    select 'worker', 'mapping.advanced', ${change.id}, id, jsonb_build_object('application', application)
    from advanced`.execute(db);
}

/**
 * Why a credential may be wrong.
 * - `capture_refused`: the password was changed in the account, and the change of that was refused.
 * - `in_doubt`: it is not known whether the account has the new password.
 * - `hash_only`: the account got a hash, which is no credential.
 * - `mapping_disabled`, `application_disabled`: the credential may not be updated.
 * - `key_store_unavailable`: the new credential cannot be sealed yet. The change waits with its sealed password.
 */
export type FlagReason =
  | 'in_doubt'
  | 'capture_refused'
  | 'hash_only'
  | 'mapping_disabled'
  | 'application_disabled'
  | typeof KEY_STORE_UNAVAILABLE;

/** Marks mappings as out of sync, because their credential is not, or may not be, the password of the account. */
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
