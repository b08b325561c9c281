import { createHash, randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { hasRight } from '../../model/api/scopes';
import { type CallerCheck, codeOf } from '../../model/people/one-time-link';
import { type Caller, callerWithKey } from '../api-keys';
import { writeAudit } from '../audit';
import { type Database, withTransaction } from '../database';
import { newId } from '../ids';

/**
 * A link lets a person set a new password once, without the current one. It has the rights of the agent who made it, and
 * ends with the agent's key. It is valid while no other change of the person was accepted, so that a change, and with it
 * the first use, ends it. After a change that the auth account has refused, the person may try another password.
 */
const isValid = sql<boolean>`
  l.revoked_at is null and l.expires_at > now()
  and i.last_seq = coalesce(
    (select c.seq from change c where c.id = l.change_id and c.state in ('refused', 'failed')),
    case when l.change_id is null then l.last_seq end)`;

export interface NewLink {
  readonly identity: { readonly id: string; readonly lastSeq: number };
  readonly agent: Pick<Caller, 'keyId'>;
  readonly lastsMs: number;
  /** True for a link whose code the worker makes when it sends the mail. */
  readonly byMail: boolean;
  readonly check: CallerCheck;
  readonly reason: string;
  readonly comment: string | null;
}

export interface CreatedLink {
  readonly id: string;
  /** Shown only here: the database holds its hash. Null for a link that is sent by mail. */
  readonly code: string | null;
  readonly expiresAt: Date;
}

/** Makes a link, in place of earlier ones of the person. */
export const createLink = (db: Database, wanted: NewLink): Promise<CreatedLink> =>
  withTransaction(db, async (trx) => {
    // Of two links that are made at the same moment, the later one ends the other.
    await sql`select from identity where id = ${wanted.identity.id} for update`.execute(trx);
    const { identity, agent, byMail, check, reason, comment } = wanted;
    const id = newId('otl');
    const code = byMail ? null : newCode();
    await sql`
      delete from one_time_link where identity_id = ${identity.id} and expires_at < now() - interval '1 day'`.execute(
      trx,
    );
    await sql`
      update one_time_link set revoked_at = now()
      where identity_id = ${identity.id} and revoked_at is null`.execute(trx);
    const { rows } = await sql<{ expiresAt: Date }>`
      insert into one_time_link (id, hash, identity_id, key_id, last_seq, expires_at)
      values (${id}, ${code === null ? null : hashOf(code)}, ${identity.id}, ${agent.keyId}, ${identity.lastSeq},
              now() + make_interval(secs => ${wanted.lastsMs / 1000}))
      returning expires_at as "expiresAt"`.execute(trx);
    await writeAudit(trx, {
      actor: `api-key:${agent.keyId}`,
      action: 'one-time-link.created',
      subject: id,
      detail: {
        identity: identity.id,
        check,
        reason,
        comment,
        delivery: byMail ? 'mail' : 'agent',
      },
    });
    if (byMail)
      await sql`
        insert into notice (kind, identity_id, subject)
        values ('one_time_link', ${identity.id}, ${id})`.execute(trx);
    return { id, code, expiresAt: rows[0]?.expiresAt ?? new Date() };
  });

/**
 * Gives a link that is sent by mail a new code, in place of one that an earlier attempt may have sent.
 * @returns null when the link is no longer valid
 */
export async function renewCode(
  db: Database,
  id: string,
): Promise<{ readonly code: string; readonly expiresAt: Date } | null> {
  const code = newCode();
  const { rows } = await sql<{ expiresAt: Date }>`
    update one_time_link l set hash = ${hashOf(code)}
    from identity i
    where l.id = ${id} and i.id = l.identity_id and l.change_id is null and ${isValid}
    returning l.expires_at as "expiresAt"`.execute(db);
  return rows[0] === undefined ? null : { code, expiresAt: rows[0].expiresAt };
}

/** A link that is valid, and the caller as which its person acts. */
export interface OpenLink {
  readonly id: string;
  readonly caller: Caller;
  readonly expiresAt: Date;
}

/**
 * Finds a valid link by its code.
 * @returns null also when the agent no longer has the right to make links
 */
export async function findLink(db: Database, code: string): Promise<OpenLink | null> {
  const { rows } = await sql<{ id: string; identityId: string; keyId: string; expiresAt: Date }>`
    select l.id, l.identity_id as "identityId", l.key_id as "keyId", l.expires_at as "expiresAt"
    from one_time_link l join identity i on i.id = l.identity_id
      join api_key k on k.id = l.key_id and (k.expires_at is null or k.expires_at > now())
    where l.hash = ${hashOf(code)} and ${isValid}`.execute(db);
  const [link] = rows;
  const agent = link === undefined ? null : await callerWithKey(db, link.keyId);
  if (link === undefined || agent === null || !hasRight(agent.scopes, 'help')) return null;
  const { id, identityId, expiresAt } = link;
  return { id, expiresAt, caller: { ...agent, identityId } };
}

/** Longer than a request waits for the auth account. */
const BUSY_SECONDS = 60;

/** Reserves a link for one request. @returns false if the link is not valid, or another request uses it now */
export async function useLink(db: Database, id: string): Promise<boolean> {
  const { rows } = await sql`
    update one_time_link l set busy_until = now() + make_interval(secs => ${BUSY_SECONDS})
    from identity i
    where l.id = ${id} and i.id = l.identity_id and ${isValid}
      and (l.busy_until is null or l.busy_until < now())
    returning l.id`.execute(db);
  return rows.length > 0;
}

/** Ends a use. @param changeId the change that it has started; null if it started none */
export const endUse = (db: Database, id: string, changeId: string | null): Promise<void> =>
  withTransaction(db, async (trx) => {
    await sql`
      update one_time_link set busy_until = null, change_id = coalesce(${changeId}, change_id)
      where id = ${id}`.execute(trx);
    if (changeId === null) return;
    await writeAudit(trx, {
      ...{ actor: 'lockstep', action: 'one-time-link.used', subject: id, changeId },
    });
  });

const newCode = (): string => codeOf(randomBytes(16));
const hashOf = (code: string): Buffer => createHash('sha256').update(code).digest();
