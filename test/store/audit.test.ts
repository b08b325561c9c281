import { createHash, randomBytes } from 'node:crypto';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { sql } from 'kysely';
import { accountRulesOf } from '../../connectors/registry';
import { createDatabase } from '../../local/postgres';
import { verificationSays } from '../../model/audit/verification';
import { writeAudit } from '../../store/audit';
import { type Database, openDatabase } from '../../store/database';
import { migrate } from '../../store/migrate';
import { anchorAudit } from '../../store/worker/audit/anchor';
import { type AuditChain, chainAudit } from '../../store/worker/audit/chain';
import { verifyAudit } from '../../store/worker/audit/verify';
import { chainAll, keepAuditIn } from '../support/audit-chain';
import { type TestDatabase, testDatabase } from '../support/database';
import { describeWith, server } from '../support/servers';

const write = async (db: Database, ...subjects: string[]) => {
  for (const subject of subjects)
    await writeAudit(db, { actor: 'test', action: 'identity.saved', subject });
};

describeWith(['postgres'], 'the audit chain', () => {
  let database: TestDatabase;
  let db: Database;
  let dir: string;
  let chain: AuditChain;

  beforeEach(async () => {
    database = await testDatabase();
    db = database.db;
    dir = mkdtempSync(path.join(os.tmpdir(), 'lockstep-audit-'));
    chain = keepAuditIn(db, dir);
    await write(db, 's1', 's2', 's3', 's4', 's5', 's6');
    await chainAudit(db, chain.keys);
  });
  afterEach(async () => {
    await database.close();
    rmSync(dir, { recursive: true });
  });

  const verify = () => verifyAudit(db, chain);
  const problem = async () => (await verify()).problem;
  const says = async () => verificationSays(await verify());
  const anchorFile = () => path.join(dir, 'audit', 'anchors.jsonl');

  /** Computes hashes from a position on as an attacker can who has the database alone. */
  const computeAgain = async (from: number, keyId: string | null) => {
    const { rows } = await sql<{ position: number; content: string }>`
      select position, jsonb_build_array(extract(epoch from at), actor, action, change_id, subject, detail)::text
        as content from audit where position >= ${from} order by position`.execute(db);
    const before = await sql<{ hash: Buffer }>`
      select hash from audit where position = ${from - 1}`.execute(db);
    let hash = before.rows[0]?.hash ?? Buffer.alloc(32);
    await sql`alter table audit drop constraint if exists audit_is_keyed`.execute(db);
    for (const { position, content } of rows) {
      hash = createHash('sha256').update(hash).update(`${position}\n${content}`).digest();
      await sql`update audit set hash = ${hash}, key_id = ${keyId} where position = ${position}`.execute(
        db,
      );
    }
  };

  test('an unaltered chain verifies from its first to its last record, and records the beginning of its key', async () => {
    await write(db, 'ü');
    await chainAll(db);
    const result = await verify();
    expect(result).toMatchObject({
      intact: true,
      from: { position: 1 },
      to: { position: 8 },
      keyedFrom: 1,
      unchained: 0,
      problem: null,
    });
    const { rows } = await sql`select position from audit where action = 'audit.keyed'`.execute(db);
    expect(rows).toEqual([{ position: 7 }]);
    expect(verificationSays(result)).toMatch(/^Verified 8 audit records, from 20\S+Z to 20\S+Z\./);
  });

  test.each<[string, ReturnType<typeof sql>, string, number]>([
    ['a changed record', sql`update audit set subject = 'forged' where position = 3`, 'altered', 3],
    [
      'a changed time',
      sql`update audit set at = at + interval '1 microsecond' where position = 2`,
      'altered',
      2,
    ],
    [
      'a changed detail',
      sql`update audit set detail = '{"forged": true}' where position = 5`,
      'altered',
      5,
    ],
    ['a removed record', sql`delete from audit where position = 4`, 'missing', 4],
    [
      'a removed record whose successor was moved up',
      sql`with gone as (delete from audit where position = 6)
          update audit set subject = 's6', position = 5 where position = 5`,
      'altered',
      5,
    ],
    ['a removed first record', sql`delete from audit where position = 1`, 'missing', 1],
    [
      'a pair of swapped records',
      sql`update audit set position = -position where position in (2, 3)`,
      'altered',
      2,
    ],
    [
      'a record that claims to be from before the first key',
      sql`update audit set key_id = null where position = 1`,
      'altered',
      1,
    ],
  ])('%s is detected with its position', async (_title, forgery, code, position) => {
    await sql`alter table audit drop constraint audit_is_keyed`.execute(db);
    await forgery.execute(db);
    await sql`update audit set position = case position when -2 then 3 when -3 then 2 end where position < 0`.execute(
      db,
    );
    expect(await problem()).toEqual({ code, position });
    expect((await verify()).to).toEqual(
      position === 1 ? null : { position: position - 1, at: expect.any(String) },
    );
  });

  test('a chain that is computed again without the key is detected, also if it claims to be older than the key', async () => {
    const [key] = await chain.keys.list();
    for (const keyId of [key?.id ?? '', null]) {
      await sql`update audit set actor = 'intruder' where position = 2`.execute(db);
      await computeAgain(1, keyId);
      expect(await problem()).toEqual({ code: 'altered', position: 1 });
    }
  });

  test('a chain whose end was cut off before the last anchor is detected with the position and the time of the anchor', async () => {
    await anchorAudit(db, chain.anchors);
    await sql`delete from audit where position > 4`.execute(db);
    expect(await problem()).toEqual({
      code: 'ends_early',
      position: 4,
      anchor: { position: 6, at: expect.any(String) },
    });
    expect(await says()).toMatch(
      /The chain ends at record 4, but the anchor of 20\S+Z is record 6: later records were removed\. If you have restored/,
    );
    expect((await anchorAudit(db, chain.anchors)).lost).toMatchObject({ position: 6 });
  });

  test('a chain that continues after a cut is detected as replaced, and a new anchor file ends the finding', async () => {
    await write(db, 's7');
    await anchorAudit(db, chain.anchors);
    await chainAll(db);
    await anchorAudit(db, chain.anchors);
    await sql`delete from audit where position > 6`.execute(db);
    await write(db, 'after the restore', 'and again', 'and again');
    await chainAll(db);
    await anchorAudit(db, chain.anchors);
    const found = await verify();
    expect(found.problem).toEqual({
      code: 'replaced',
      position: 8,
      anchor: { position: 8, at: expect.any(String) },
      fits: { position: 6, at: expect.any(String) },
    });
    expect(verificationSays(found)).toContain('records after 6 (');
    rmSync(anchorFile());
    expect(await verify()).toMatchObject({ intact: true, anchored: null });
  });

  test('anchors are appended only when the chain has grown, and a line that was cut off damages no other', async () => {
    expect((await anchorAudit(db, chain.anchors)).anchor).toMatchObject({ position: 6 });
    expect(await anchorAudit(db, chain.anchors)).toEqual({ anchor: null, lost: null });
    appendFileSync(anchorFile(), '{"at":"2026-');
    expect(await anchorAudit(db, chain.anchors)).toEqual({ anchor: null, lost: null });
    await chainAll(db);
    expect((await anchorAudit(db, chain.anchors)).anchor).toMatchObject({ position: 7 });
    expect(readFileSync(anchorFile(), 'utf8').trimEnd().split('\n')).toHaveLength(3);
    expect(await verify()).toMatchObject({ intact: true, anchored: { position: 7 } });
  });

  test('a database that is older than its key gets a new key, and the cut shows', async () => {
    await sql`delete from audit`.execute(db);
    await write(db, 'first');
    rmSync(path.join(dir, 'audit'), { recursive: true });
    chain = keepAuditIn(db, dir);
    await chain.keys.create(50, Buffer.alloc(32, 1));
    await chainAll(db);
    expect((await chain.keys.list()).map(({ from }) => from)).toEqual([50, 1]);
    expect(await problem()).toMatchObject({
      code: 'ends_early',
      position: 2,
      anchor: { position: 49 },
    });
  });

  test('a worker without the key of a record names the key that is missing', async () => {
    const other = mkdtempSync(path.join(os.tmpdir(), 'lockstep-audit-'));
    chain = keepAuditIn(db, other);
    const { rows } = await sql<{ key: string }>`
      select key_id as key from audit where position = 1`.execute(db);
    expect(await problem()).toEqual({ code: 'key_missing', position: 1, key: rows[0]?.key });
    rmSync(other, { recursive: true });
  });

  test('a new key that an operator asks for continues the chain, which verifies with both keys', async () => {
    await chainAll(db);
    writeFileSync(path.join(dir, 'audit', 'rotate'), '');
    await write(db, 'with the new key');
    await chainAll(db);
    expect(await verify()).toMatchObject({ intact: true, to: { position: 9 } });
    const [, next] = await chain.keys.list();
    const keyed = await sql`select position from audit where key_id = ${next?.id}`.execute(db);
    expect(keyed.rows).toHaveLength(2);
    await write(db, 'with the same key');
    await chainAll(db);
    expect(await chain.keys.list()).toHaveLength(2);
  });

  test('workers that chain at the same time make one chain', async () => {
    await write(db, ...Array.from({ length: 40 }, (_, index) => String(index)));
    await Promise.all(Array.from({ length: 4 }, () => chainAudit(db, chain.keys)));
    await chainAll(db);
    expect(await verify()).toMatchObject({ intact: true, to: { position: 47 } });
  });

  test('a record of a transaction that commits late is chained late and keeps the chain intact', async () => {
    await db.transaction().execute(async (late) => {
      await write(late, 'late');
      await write(db, 'early');
      await chainAudit(db, chain.keys);
    });
    await chainAll(db);
    expect(await verify()).toMatchObject({ intact: true, to: { position: 9 } });
  });
});

describeWith(['postgres'], 'the audit chain of a release before it was keyed', () => {
  test('stays verifiable, cannot be continued or replaced, and the first key holds its end', async () => {
    const name = `test_${randomBytes(6).toString('hex')}`;
    const url = await createDatabase({ url: server('postgres').url ?? '' }, name);
    const { db, close } = openDatabase(url, 'audit test', 2);
    await migrate(db, accountRulesOf, '0016-access');
    let hash: Buffer = Buffer.alloc(32);
    await write(db, 'old1', 'old2', 'old3');
    const { rows } = await sql<{ id: number; content: string }>`
      select id, jsonb_build_array(extract(epoch from at), actor, action, change_id, subject, detail)::text as content
      from audit order by id`.execute(db);
    for (const [index, { id, content }] of rows.entries()) {
      hash = createHash('sha256')
        .update(hash)
        .update(`${index + 1}\n${content}`)
        .digest();
      await sql`update audit set position = ${index + 1}, hash = ${hash} where id = ${id}`.execute(
        db,
      );
    }
    await migrate(db, accountRulesOf);
    const dir = mkdtempSync(path.join(os.tmpdir(), 'lockstep-audit-'));
    const chain = keepAuditIn(db, dir);
    await write(db, 'new1');
    await expect(
      sql`update audit set position = 4, hash = ${hash} where position is null`.execute(db),
    ).rejects.toThrow('audit_is_keyed');
    await chainAll(db);
    const result = await verifyAudit(db, chain);
    expect(result).toMatchObject({ intact: true, keyedFrom: 4, to: { position: 5 } });
    expect(verificationSays(result)).toContain('Records before 4 are from a release that');
    await sql`alter table audit drop constraint audit_is_keyed`.execute(db);
    await sql`update audit set subject = 'forged' where position = 3`.execute(db);
    const forged = await sql<{ previous: Buffer; content: string }>`
      select (select hash from audit where position = 2) as previous,
             jsonb_build_array(extract(epoch from at), actor, action, change_id, subject, detail)::text as content
      from audit where position = 3`.execute(db);
    const { previous, content } = forged.rows[0] as { previous: Buffer; content: string };
    const again = createHash('sha256').update(previous).update(`3\n${content}`).digest();
    await sql`update audit set hash = ${again} where position = 3`.execute(db);
    expect((await verifyAudit(db, chain)).problem).toMatchObject({ code: 'replaced', position: 3 });
    await close();
    rmSync(dir, { recursive: true });
  });
});
