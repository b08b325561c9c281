import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { encodeFrame, scanFrames } from '../../capture/spool/frames';
import { lockSpool } from '../../capture/spool/lock';
import { openSpool, type Spool, type SpoolLimits } from '../../capture/spool/spool';
import { isRoot } from '../../local/places';
import type { Position } from '../../model/captures/batch';

const KIB = 1024;
const limits: SpoolLimits = {
  maxBytes: 1024 * KIB,
  segmentBytes: 64 * KIB,
  chunkRecords: 100,
  chunkBytes: 256 * KIB,
};

const opened: Spool[] = [];
const spoolIn = async (dir: string, more: Partial<SpoolLimits> = {}) => {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const spool = await openSpool(dir, { ...limits, ...more });
  opened.push(spool);
  return spool;
};
afterEach(async () => {
  for (const spool of opened.splice(0)) await spool.close();
});

const freshDir = () => path.join(mkdtempSync(path.join(os.tmpdir(), 'lockstep-spool-')), 'spool');
const record = (name: string | number) => Buffer.from(`record ${name}`);
const segmentsIn = (dir: string) =>
  readdirSync(dir)
    .filter((name) => name.endsWith('.segment'))
    .sort();
const quarantinedIn = (dir: string) => readdirSync(path.join(dir, 'quarantine')).sort();
const fileOf = (dir: string, index = 0) => path.join(dir, segmentsIn(dir)[index] ?? '');

/** The records that a server with this cursor would receive, to the end of the spool; null for a damaged one. */
async function deliver(spool: Spool, from: Position | null = null): Promise<(string | null)[]> {
  const got: (string | null)[] = [];
  await spool.acknowledge(from);
  for (;;) {
    const chunk = await spool.next();
    if (chunk === null) return got;
    got.push(...chunk.records.map((one) => one?.toString() ?? null));
    const position = chunk.from + chunk.records.length - 1;
    await spool.acknowledge({ segment: chunk.segment, position });
  }
}

test('a spool delivers its records in order, even after the process that wrote them was killed', async () => {
  const dir = freshDir();
  const spool = await spoolIn(dir);
  const names = Array.from({ length: 250 }, (_, index) => `record ${index}`);
  await Promise.all(names.slice(0, 100).map((name) => spool.append(Buffer.from(name))));
  for (const name of names.slice(100)) await spool.append(Buffer.from(name));
  expect(spool.backlog()).toBe(250);
  // The first spool is not closed, as after SIGKILL.
  expect(await deliver(await spoolIn(dir))).toEqual(names);
});

test('a server that has some of the records gets only the rest', async () => {
  const dir = freshDir();
  const spool = await spoolIn(dir);
  for (const name of [1, 2, 3, 4]) await spool.append(record(name));
  const [chunk] = [await spool.next()];
  const again = await spoolIn(dir);
  await again.append(record(5));
  const cursor = { segment: chunk?.segment ?? '', position: 3 };
  expect(await deliver(again, cursor)).toEqual(['record 4', 'record 5']);
});

test('a server with an unknown cursor gets every record, and each chunk names its predecessor', async () => {
  const dir = freshDir();
  const spool = await spoolIn(dir);
  await spool.append(record(1));
  const first = await spool.next();
  expect(first?.follows).toBeNull();
  const again = await spoolIn(dir);
  await again.append(record(2));
  expect(await deliver(again, { segment: 'unknown', position: 7 })).toEqual([
    'record 1',
    'record 2',
  ]);
  await again.append(record(3));
  expect((await again.next())?.follows).toMatchObject({ position: 1 });
});

test('a spool removes the records that the server has acknowledged', async () => {
  const dir = freshDir();
  const spool = await spoolIn(dir, { segmentBytes: 2 * KIB });
  for (let index = 0; index < 200; index++) await spool.append(Buffer.alloc(100, index));
  expect(segmentsIn(dir).length).toBeGreaterThan(5);
  await deliver(spool);
  expect(segmentsIn(dir)).toHaveLength(1);
  expect(scanFrames(readFileSync(fileOf(dir))).frames.map(({ position }) => position)).toEqual([0]);
  expect(spool.backlog()).toBe(0);
});

test('other users cannot read a spool, and a folder that they can read or that another process has locked is refused', async () => {
  const dir = freshDir();
  const lock = await lockSpool(dir);
  const spool = await spoolIn(dir);
  await spool.append(record(1));
  expect(statSync(dir).mode & 0o777).toBe(0o700);
  for (const name of [...segmentsIn(dir), 'lock'])
    expect(statSync(path.join(dir, name)).mode & 0o777).toBe(0o600);
  await expect(lockSpool(dir)).rejects.toThrow('Another relay uses the spool');
  await lock.release();
  await (await lockSpool(dir)).release();
  chmodSync(dir, 0o750);
  await expect(lockSpool(dir)).rejects.toThrow('can be read by other users');
});

test('a segment that was cut off anywhere delivers every whole record and quarantines the torn one', async () => {
  const dir = freshDir();
  const spool = await spoolIn(dir);
  const ends: number[] = [statSync(fileOf(dir)).size];
  for (const name of [1, 2, 3]) {
    await spool.append(record(name));
    ends.push(statSync(fileOf(dir)).size);
  }
  const whole = readFileSync(fileOf(dir));
  for (let length = 0; length <= whole.length; length++) {
    const copy = freshDir();
    mkdirSync(copy, { mode: 0o700 });
    writeFileSync(path.join(copy, segmentsIn(dir)[0] ?? ''), whole.subarray(0, length));
    const kept = ends.filter((end) => end <= length).length - 1;
    const again = await openSpool(copy, limits);
    expect(await deliver(again)).toEqual(
      [1, 2, 3].slice(0, Math.max(0, kept)).map((n) => `record ${n}`),
    );
    expect(quarantinedIn(copy)).toHaveLength([0, ...ends].includes(length) ? 0 : 1);
    await again.close();
  }
});

test('zeros at the end of a segment, whose length was written before its content, do not become a record', async () => {
  const dir = freshDir();
  await (await spoolIn(dir)).append(record(1));
  appendFileSync(fileOf(dir), Buffer.alloc(4096));
  expect(await deliver(await spoolIn(dir))).toEqual(['record 1']);
});

test('a damaged record is reported as missing and quarantined, and the records after it are delivered', async () => {
  const dir = freshDir();
  const spool = await spoolIn(dir);
  for (const name of [1, 2, 3]) await spool.append(record(name));
  const content = readFileSync(fileOf(dir));
  const at = content.indexOf('record 2');
  content[at] = 0x58;
  writeFileSync(fileOf(dir), content);
  const again = await spoolIn(dir);
  expect(await deliver(again)).toEqual(['record 1', null, 'record 3']);
  expect(again.quarantined()).toBe(1);
  const [damaged = ''] = quarantinedIn(dir);
  expect(readFileSync(path.join(dir, 'quarantine', damaged)).includes('Xecord 2')).toBe(true);
});

test('a damaged length does not hide the records after it', async () => {
  const dir = freshDir();
  const spool = await spoolIn(dir);
  for (const name of [1, 2, 3]) await spool.append(record(name));
  const content = readFileSync(fileOf(dir));
  content.writeUInt32BE(0x7fffffff, content.indexOf('record 2') - 8);
  writeFileSync(fileOf(dir), content);
  expect(await deliver(await spoolIn(dir))).toEqual(['record 1', null, 'record 3']);
});

test('a segment with a damaged header still delivers its records', async () => {
  const dir = freshDir();
  const spool = await spoolIn(dir);
  for (const name of [1, 2]) await spool.append(record(name));
  const content = readFileSync(fileOf(dir));
  content[20] = 0;
  writeFileSync(fileOf(dir), content);
  expect(await deliver(await spoolIn(dir))).toEqual(['record 1', 'record 2']);
});

test('a full spool quarantines its oldest records, never the newest, and limits the quarantine, too', async () => {
  const dir = freshDir();
  const spool = await spoolIn(dir, { maxBytes: 32 * KIB, segmentBytes: 4 * KIB });
  const names = Array.from({ length: 300 }, (_, index) => String(index).padStart(200, '0'));
  for (const name of names) await spool.append(Buffer.from(name));
  const got = await deliver(spool);
  expect(got.length).toBeGreaterThan(100);
  expect(got).toEqual(names.slice(-got.length));
  expect(spool.quarantined()).toBeGreaterThan(1);
  const bytes = quarantinedIn(dir).map((name) => statSync(path.join(dir, 'quarantine', name)).size);
  expect(bytes.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(32 * KIB);
});

const withDisk = isRoot && process.platform === 'linux' ? test : test.skip;

withDisk(
  'a spool on a full disk refuses a record without a trace and keeps all earlier ones (needs root)',
  async () => {
    const mount = mkdtempSync(path.join(os.tmpdir(), 'lockstep-disk-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=0700', 'lockstep', mount]);
    try {
      const dir = path.join(mount, 'spool');
      mkdirSync(dir, { mode: 0o700 });
      const spool = await openSpool(dir, limits);
      const stored: string[] = [];
      const refused: string[] = [];
      for (let index = 0; index < 30; index++) {
        const text = String(index).padStart(5000, '.');
        const into = await spool.append(Buffer.from(text)).then(
          () => stored,
          () => refused,
        );
        into.push(text);
      }
      expect(stored.length).toBeGreaterThan(3);
      expect(refused.length).toBeGreaterThan(3);
      expect(scanFrames(readFileSync(fileOf(dir))).damage).toEqual([]);
      expect(await deliver(spool)).toEqual(stored);
      await spool.append(record('after'));
      expect(await deliver(spool)).toEqual(['record after']);
      await spool.close();
    } finally {
      execFileSync('umount', ['-l', mount]);
    }
  },
);

test('scanning frames yields only records that were written, whatever bytes of the file changed', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 6 }),
      fc.array(fc.tuple(fc.nat(400), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
      (records, changes) => {
        const written = records.map((bytes, index) => ({
          position: index,
          record: Buffer.from(bytes),
        }));
        const content = Buffer.concat(written.map(encodeFrame));
        for (const [at, value] of changes) if (at < content.length) content[at] = value;
        for (const { position, record: read } of scanFrames(content).frames)
          expect(read.equals(written[position]?.record ?? Buffer.from('none'))).toBe(true);
      },
    ),
  );
});
