import { sql } from 'kysely';
import type { Database } from './database';

/** Saves the public URL of the api, which a worker may not have in its environment. */
export async function savePublicUrl(db: Database, url: string): Promise<void> {
  await sql`
    insert into public_url (url) values (${url})
    on conflict (single) do update set url = excluded.url`.execute(db);
}

/** Reads the public URL that an api has saved last; null when none has one. */
export async function readPublicUrl(db: Database): Promise<string | null> {
  const { rows } = await sql<{ url: string }>`select url from public_url`.execute(db);
  return rows[0]?.url ?? null;
}
