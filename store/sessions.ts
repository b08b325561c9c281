import { createHash, randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { type Caller, ofCaller } from './api-keys';
import { writeAudit } from './audit';
import type { Database } from './database';
import { newId } from './ids';

/** A session of the console ends after eight hours, or half an hour after the last page that its user has opened. */
const LASTS_HOURS = 8;
const IDLE_MINUTES = 30;
/** A person can follow a change for this long, which is longer than a change lives by default. */
const CHANGE_DAYS = 14;

/** A session, and the caller that its requests act as. */
export interface SessionCaller {
  readonly sessionId: string;
  readonly caller: Caller;
  /** Whether the user signed in at the identity provider. */
  readonly isFromProvider: boolean;
  /** Time since the user last proved who they are, in milliseconds; null if the identity provider does not report it. */
  readonly authenticatedAgoMs: number | null;
}

export interface SessionView {
  readonly id: string;
  readonly keyId: string;
  readonly keyName: string;
  readonly createdAt: Date;
  readonly seenAt: Date;
  readonly expiresAt: Date;
}

export interface NewSession {
  /** Who signs in, as an actor of the audit. */
  readonly by: string;
  /** When the user proved who they are: now, at a time that the provider reports, or null if it reports none. */
  readonly authenticated: Date | 'now' | null;
  readonly detail?: Readonly<Record<string, string>>;
}

/**
 * Starts a session with the rights of an API key, or of a user of the identity provider.
 * @returns the token for the cookie, which is shown only here: the database holds its hash
 */
export async function startSession(
  db: Database,
  { keyId, secretHash }: Caller,
  { by, authenticated, detail = {} }: NewSession,
): Promise<string> {
  const id = newId('ses');
  const token = newToken();
  await db.transaction().execute(async (trx) => {
    await forgetOld(trx);
    await sql`
      insert into session (id, hash, key_id, key_hash, expires_at, authenticated_at)
      values (${id}, ${hashOf(token)}, ${keyId}, ${Buffer.from(secretHash ?? '', 'hex')},
        now() + make_interval(hours => ${LASTS_HOURS}),
        ${authenticated === 'now' ? sql`now()` : authenticated})`.execute(trx);
    await writeAudit(trx, { actor: by, action: 'session.started', subject: id, detail });
  });
  return token;
}

/** Lets a browser follow one change, and do nothing else. @returns the token for the cookie */
export async function grantChange(db: Database, changeId: string): Promise<string> {
  const token = newToken();
  await sql`
    insert into session (id, hash, change_id, expires_at)
    values (${newId('ses')}, ${hashOf(token)}, ${changeId},
      now() + make_interval(days => ${CHANGE_DAYS}))`.execute(db);
  return token;
}

/** The change that a token lets its browser follow; null if there is none. */
export async function grantedChange(db: Database, token: string): Promise<string | null> {
  const row = await db
    .selectFrom('session')
    .select('change_id')
    .where('hash', '=', hashOf(token))
    .where('ended_at', 'is', null)
    .where('expires_at', '>', sql<Date>`now()`)
    .executeTakeFirst();
  return row?.change_id ?? null;
}

/**
 * The caller of a session. The key is checked each time: a session ends when its key is revoked or expires, and when the
 * secret that started it is not accepted any more.
 * @param isVisit false for a page that updates itself, which does not keep the session alive
 */
export async function callerOfSession(
  db: Database,
  token: string,
  isVisit: boolean,
): Promise<SessionCaller | null> {
  const row = await db
    .selectFrom('session')
    .innerJoin('api_key', 'api_key.id', 'session.key_id')
    .select(['session.id as sessionId', 'api_key.id as keyId', ...ofCaller])
    .select(sql<string>`encode(session.key_hash, 'hex')`.as('secretHash'))
    .select(sql<boolean>`api_key.issuer is not null`.as('isFromProvider'))
    .select(
      sql<number | null>`(extract(epoch from now() - session.authenticated_at) * 1000)::float8`.as(
        'authenticatedAgoMs',
      ),
    )
    .where('session.hash', '=', hashOf(token))
    .where(isOpen)
    .executeTakeFirst();
  if (row === undefined) return null;
  const { sessionId, isFromProvider, authenticatedAgoMs, ...caller } = row;
  if (isVisit)
    await sql`
      update session set seen_at = now()
      where id = ${sessionId} and seen_at < now() - interval '1 minute'`.execute(db);
  return { sessionId, caller, isFromProvider, authenticatedAgoMs };
}

/** Which of these sessions are open. */
export async function readOpenSessions(
  db: Database,
  ids: readonly string[],
): Promise<ReadonlyMap<string, { readonly isOpen: boolean }>> {
  const rows = await db
    .selectFrom('session')
    .innerJoin('api_key', 'api_key.id', 'session.key_id')
    .select('session.id')
    .where('session.id', 'in', [...ids])
    .where(isOpen)
    .execute();
  const open = new Set(rows.map(({ id }) => id));
  return new Map(ids.map((id) => [id, { isOpen: open.has(id) }]));
}

const isOpen = sql<boolean>`
  session.ended_at is null and session.expires_at > now()
  and session.seen_at > now() - make_interval(mins => ${IDLE_MINUTES})
  and api_key.revoked_at is null and (api_key.expires_at is null or api_key.expires_at > now())
  and (session.key_hash = api_key.hash
    or (session.key_hash = api_key.previous_hash and api_key.previous_until > now()))`;

/** The open sessions of staff, the newest first. */
export const listSessions = (db: Database): Promise<SessionView[]> =>
  db
    .selectFrom('session')
    .innerJoin('api_key', 'api_key.id', 'session.key_id')
    .select(['session.id', 'api_key.id as keyId'])
    .select(sql<string>`coalesce(api_key.agent, api_key.name)`.as('keyName'))
    .select(['session.created_at as createdAt', 'session.seen_at as seenAt'])
    .select('session.expires_at as expiresAt')
    .where(isOpen)
    .where(sql<boolean>`api_key.issuer is null or api_key.identity_id is null`)
    .orderBy('session.id', 'desc')
    .execute();

/** The open sessions of a person, the newest first. */
export const listSessionsOf = (
  db: Database,
  identityId: string,
): Promise<Omit<SessionView, 'keyId' | 'keyName'>[]> =>
  db
    .selectFrom('session')
    .innerJoin('api_key', 'api_key.id', 'session.key_id')
    .select(['session.id', 'session.created_at as createdAt', 'session.seen_at as seenAt'])
    .select('session.expires_at as expiresAt')
    .where(isOpen)
    .where('api_key.issuer', 'is not', null)
    .where('api_key.identity_id', '=', identityId)
    .orderBy('session.id', 'desc')
    .execute();

/** @returns false when there is no such session, or it has ended */
export async function endSession(db: Database, id: string, by: string): Promise<boolean> {
  return db.transaction().execute(async (trx) => {
    const ended = await trx
      .updateTable('session')
      .set({ ended_at: sql<Date>`now()` })
      .where('id', '=', id)
      .where('key_id', 'is not', null)
      .where('ended_at', 'is', null)
      .returning('id')
      .executeTakeFirst();
    if (ended === undefined) return false;
    await writeAudit(trx, { actor: by, action: 'session.ended', subject: id });
    return true;
  });
}

/** Removes sessions that expired a day ago, so that the table does not grow. */
const forgetOld = (trx: Database) =>
  sql`delete from session where expires_at < now() - interval '1 day'`.execute(trx);

const newToken = (): string => randomBytes(32).toString('base64url');
const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest();
