import { createPublicKey, verify } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Misconfigured } from '../../config';
import { openKeyDirectory, SIGNER_PUBLIC_FILE } from '../../store/worker/keys/key-directory';

const freshDir = () => path.join(mkdtempSync(path.join(os.tmpdir(), 'lockstep-keys-')), 'keys');

test('only their owner can read the key files', async () => {
  const dir = freshDir();
  const keys = await openKeyDirectory(dir);
  await keys.createEpochKey('ep_1');
  const files = readdirSync(dir, { recursive: true, withFileTypes: true });
  const readable = files
    .filter((file) => (statSync(path.join(file.parentPath, file.name)).mode & 0o077) !== 0)
    .map(({ name }) => name);
  expect(readable).toEqual([SIGNER_PUBLIC_FILE]);
});

test('a key that others can read is refused, and the error names the command that fixes it', async () => {
  const dir = freshDir();
  await openKeyDirectory(dir);
  chmodSync(path.join(dir, 'signer.json'), 0o644);
  await expect(openKeyDirectory(dir)).rejects.toThrow(
    /signer\.json can be read by others\. Run: chmod go= \S+signer\.json/,
  );
});

test('the error for a damaged key file does not quote the file', async () => {
  const dir = freshDir();
  const keys = await openKeyDirectory(dir);
  await keys.createEpochKey('ep_1');
  const file = path.join(dir, 'epochs', 'ep_1.json');
  chmodSync(file, 0o600);
  writeFileSync(file, '{"d":"half-a-key');
  const error = await keys.epochKey('ep_1').catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(Misconfigured);
  expect(String(error)).not.toContain('half-a-key');
});

test('a key directory that is opened again has the same signer and the same master key', async () => {
  const dir = freshDir();
  const first = await openKeyDirectory(dir);
  const second = await openKeyDirectory(dir);
  const message = Buffer.from('epoch');
  const published = JSON.parse(readFileSync(path.join(dir, SIGNER_PUBLIC_FILE), 'utf8'));
  const signer = createPublicKey({ key: published, format: 'jwk' });
  for (const keys of [first, second])
    expect(verify(null, message, signer, Buffer.from(await keys.sign(message), 'base64url'))).toBe(
      true,
    );
  expect((await second.currentMasterKey()).id).toBe((await first.currentMasterKey()).id);
});

test('workers that start at the same time on an empty folder agree on one signer', async () => {
  const dir = freshDir();
  const all = await Promise.all(Array.from({ length: 8 }, () => openKeyDirectory(dir)));
  const signatures = await Promise.all(all.map((keys) => keys.sign(Buffer.from('x'))));
  expect(new Set(signatures).size).toBe(1);
});

test('a destroyed epoch key is gone, also for a worker that has used it before', async () => {
  const dir = freshDir();
  const first = await openKeyDirectory(dir);
  const other = await openKeyDirectory(dir);
  await first.createEpochKey('ep_1');
  expect(await other.epochKey('ep_1')).not.toBeNull();
  await first.destroyEpochKey('ep_1');
  expect(existsSync(path.join(dir, 'epochs', 'ep_1.json'))).toBe(false);
  expect(await other.epochKey('ep_1')).toBeNull();
});

test('a draft that a crash left behind is not used as a key', async () => {
  const dir = freshDir();
  await openKeyDirectory(dir);
  writeFileSync(path.join(dir, 'master', 'key_zzz.key.123.draft'), 'short', { mode: 0o600 });
  const keys = await openKeyDirectory(dir);
  await expect(keys.currentMasterKey()).resolves.toBeDefined();
});
