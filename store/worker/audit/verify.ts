import { sql } from 'kysely';
import type {
  AuditVerification,
  ChainPoint,
  ChainProblem,
} from '../../../model/audit/verification';
import type { Database } from '../../database';
import type { Anchor } from './anchors';
import type { AuditKey } from './audit-keys';
import { type AuditChain, type ChainedRecord, genesis, linkHash, recordsAfter } from './chain';

/**
 * Recomputes the chain from its start, and compares it with the anchors and with the beginning of each key, which are
 * all outside the database. It stops at the first record that does not fit.
 */
export async function verifyAudit(
  db: Database,
  { keys: keyStore, anchors: file }: AuditChain,
): Promise<AuditVerification> {
  const keys = await keyStore.list();
  const anchors = await expectedLinks(file.read(), keys);
  let link = genesis;
  let from: ChainPoint | null = null;
  let to: ChainPoint | null = null;
  let fits: ChainPoint | null = null;
  let problem: ChainProblem | null = null;
  while (problem === null) {
    const records = await recordsAfter(db, link.position);
    if (records.length === 0) break;
    for (const record of records) {
      const next = nextLink(keys, link, record);
      if ('code' in next) {
        problem = next;
        break;
      }
      const here = pointOf(next.position, record.at);
      const expected = anchors.at(next.position);
      const other = expected.find(({ hash }) => !hash.equals(next.hash));
      if (other !== undefined) {
        problem = { code: 'replaced', position: next.position, anchor: anchorPoint(other), fits };
        break;
      }
      if (expected.length > 0) fits = here;
      from ??= here;
      to = here;
      link = next;
    }
  }
  const last = anchors.last();
  if (problem === null && last !== null && last.position > link.position)
    problem = { code: 'ends_early', position: link.position, anchor: anchorPoint(last) };
  return {
    intact: problem === null,
    from,
    to,
    keyedFrom: firstKeyed(keys),
    anchored: fits,
    unchained: await countUnchained(db),
    problem,
  };
}

const pointOf = (position: number, at: Date): ChainPoint => ({ position, at: at.toISOString() });
const anchorPoint = ({ position, at }: Anchor): ChainPoint => pointOf(position, at);

/** The next link of the chain, or why the record is not it. */
function nextLink(
  keys: readonly AuditKey[],
  { position: before, hash: previous }: { readonly position: number; readonly hash: Buffer },
  record: ChainedRecord,
): { readonly position: number; readonly hash: Buffer } | ChainProblem {
  const position = before + 1;
  if (record.position !== position) return { code: 'missing', position };
  // The position decides about the key, not the record: a forged record cannot claim to be from before the first key.
  const key = keys.findLast((one) => one.from <= position) ?? null;
  if (record.keyId !== null && !keys.some(({ id }) => id === record.keyId))
    return { code: 'key_missing', position, key: record.keyId };
  const hash = linkHash(key?.key ?? null, previous, position, record.content);
  if (record.keyId !== (key?.id ?? null) || record.hash?.equals(hash) !== true)
    return { code: 'altered', position };
  return { position, hash };
}

/** The first position from which on every record is keyed; null before the first key. */
const firstKeyed = (keys: readonly AuditKey[]): number | null =>
  keys.length === 0 ? null : Math.min(...keys.map(({ from }) => from));

/** The hashes that are known outside the database, by position. */
async function expectedLinks(read: AsyncIterable<Anchor>, keys: readonly AuditKey[]) {
  const byPosition = new Map<number, Anchor[]>();
  let last: Anchor | null = null;
  const add = (anchor: Anchor) => {
    const others = byPosition.get(anchor.position) ?? [];
    if (!others.some(({ hash }) => hash.equals(anchor.hash)))
      byPosition.set(anchor.position, [...others, anchor]);
    if (last === null || anchor.position > last.position) last = anchor;
  };
  for (const { from, after, createdAt } of keys)
    if (from > 1) add({ at: createdAt, position: from - 1, hash: after });
  for await (const anchor of read) add(anchor);
  return {
    at: (position: number): readonly Anchor[] => byPosition.get(position) ?? [],
    last: (): Anchor | null => last,
  };
}

/** Records that no worker has chained although they are older than a minute. */
async function countUnchained(db: Database): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from audit
    where position is null and at < now() - interval '1 minute'`.execute(db);
  return rows[0]?.count ?? 0;
}
