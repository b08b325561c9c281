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
  const { end, from, to, fits, misfit } = await walk(chainedRecords(db), keys, anchors);
  const last = anchors.last();
  const short: ChainProblem | null =
    last !== null && last.position > end.position
      ? { code: 'ends_early', position: end.position, anchor: anchorPoint(last) }
      : null;
  const problem = misfit ?? short;
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

async function* chainedRecords(db: Database): AsyncGenerator<ChainedRecord> {
  let position = genesis.position;
  for (;;) {
    const records = await recordsAfter(db, position);
    if (records.length === 0) return;
    yield* records;
    position += records.length;
  }
}

interface Link {
  readonly position: number;
  readonly hash: Buffer;
}

interface Walked {
  /** The last link that fits. */
  readonly end: Link;
  readonly from: ChainPoint | null;
  readonly to: ChainPoint | null;
  /** The last record that an anchor confirms. */
  readonly fits: ChainPoint | null;
  /** Why the record after `end` does not fit; null if every record fits. */
  readonly misfit: ChainProblem | null;
}

async function walk(
  records: AsyncIterable<ChainedRecord>,
  keys: readonly AuditKey[],
  anchors: ExpectedLinks,
): Promise<Walked> {
  let walked: Walked = { end: genesis, from: null, to: null, fits: null, misfit: null };
  for await (const record of records) {
    const link = nextLink(keys, walked.end, record);
    if ('code' in link) return { ...walked, misfit: link };
    const { position, hash } = link;
    const expected = anchors.at(position);
    const other = expected.find((anchor) => !anchor.hash.equals(hash));
    if (other !== undefined) {
      const anchor = anchorPoint(other);
      return { ...walked, misfit: { code: 'replaced', position, anchor, fits: walked.fits } };
    }
    const to = pointOf(position, record.at);
    const fits = expected.length > 0 ? to : walked.fits;
    walked = { end: link, from: walked.from ?? to, to, fits, misfit: null };
  }
  return walked;
}

const pointOf = (position: number, at: Date): ChainPoint => ({ position, at: at.toISOString() });
const anchorPoint = ({ position, at }: Anchor): ChainPoint => pointOf(position, at);

/** The next link of the chain, or why the record is not it. */
function nextLink(
  keys: readonly AuditKey[],
  { position: before, hash: previous }: Link,
  record: ChainedRecord,
): Link | ChainProblem {
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
interface ExpectedLinks {
  at(position: number): readonly Anchor[];
  last(): Anchor | null;
}

async function expectedLinks(
  read: AsyncIterable<Anchor>,
  keys: readonly AuditKey[],
): Promise<ExpectedLinks> {
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
    at: (position) => byPosition.get(position) ?? [],
    last: () => last,
  };
}

/** Records that no worker has chained although they are older than a minute. */
async function countUnchained(db: Database): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from audit
    where position is null and at < now() - interval '1 minute'`.execute(db);
  return rows[0]?.count ?? 0;
}
