import { sql } from 'kysely';
import type { KeyFacts, PersonFacts } from '../model/graph/facts';
import { type AppliedConfiguration, currentConfiguration } from './configuration/versions';
import type { Database } from './database';
import { mappingsOfAccount } from './people/mappings';

/** The data that the graph is made of, all of it as it was at one moment. */
export interface GraphSnapshot extends AppliedConfiguration {
  /** API keys that are neither revoked nor expired. */
  readonly keys: readonly KeyFacts[];
  /** All people, in pages ordered by id. It may be called more than once. */
  people(): AsyncGenerator<readonly PersonFacts[]>;
}

const PAGE = 500;

/**
 * Gives `read` a snapshot, which is valid until `read` resolves. It uses one connection for a read-only transaction,
 * and takes no lock.
 */
export async function withGraphSnapshot<T>(
  db: Database,
  read: (snapshot: GraphSnapshot) => Promise<T>,
): Promise<T> {
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (trx) => {
      // A client that goes away ends `read` while a page is on its way, and the connection takes one query at a time.
      let reading: Promise<unknown> = Promise.resolve();
      const pageAfter = (id: string) => {
        const page = readPage(trx, id);
        reading = page;
        return page;
      };
      const snapshot = {
        ...(await currentConfiguration(trx)),
        keys: await readKeysInUse(trx),
        people: () => readPages(pageAfter),
      };
      try {
        return await read(snapshot);
      } finally {
        await reading.catch(() => undefined);
      }
    });
}

async function readKeysInUse(db: Database): Promise<KeyFacts[]> {
  const { rows } = await sql<KeyFacts>`
    select k.id, k.name, k.scopes, k.groups, r.source as "relayOf"
    from api_key k left join relay r on r.api_key_id = k.id
    where k.revoked_at is null and (k.expires_at is null or k.expires_at > now())
      and (k.issuer is null or k.identity_id is null)
    order by k.id`.execute(db);
  return rows;
}

type Page = readonly (PersonFacts & { readonly id: string })[];

async function* readPages(
  pageAfter: (id: string) => Promise<Page>,
): AsyncGenerator<readonly PersonFacts[]> {
  let after = '';
  for (;;) {
    const page = await pageAfter(after);
    const last = page.at(-1);
    if (last === undefined) return;
    yield page;
    after = last.id;
  }
}

/**
 * One page of people with their accounts. The last success of an account is the time at which the outcome of its
 * newest applied change was recorded.
 */
async function readPage(db: Database, after: string): Promise<Page> {
  const { rows } = await sql<PersonFacts & { id: string }>`
    select i.id, i.name, coalesce((
      select json_agg(json_build_object(
        'id', a.id, 'source', a.source, 'name', a.name, 'nativeId', a.native_id,
        'primary', a.is_primary, 'appliedSeq', a.applied_seq,
        'lastSuccess', (
          select to_char(max(o.updated_at) at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
          from change c join outcome o on o.change_id = c.id
          where c.identity_id = i.id and c.seq = a.applied_seq
            and o.account_id = a.id and o.state = 'applied'),
        'storedFor', coalesce((
          select json_agg(m.application order by m.application) from mapping m
          where m.account_id = a.id and m.sealed is not null and m.state = 'in_sync'), '[]'),
        'mappings', ${mappingsOfAccount})
        order by a.is_primary desc, a.linked_at, a.id)
      from account a where a.identity_id = i.id), '[]') as accounts
    from identity i where i.id > ${after} order by i.id limit ${PAGE}`.execute(db);
  return rows;
}
