import { mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { CompactEncrypt } from 'jose';
import { Secret } from '../../model/passwords/secret';
import { type CaptureHeader, readHeader, sealCapture, unsealCapture } from '../../sealing/captures';
import { type SealingKey, sealingKey } from '../../sealing/jwe';
import { openKeyDirectory } from '../../store/worker/keys/key-directory';

const CANARY = 'Zürich-"quotes"\\ 🔑\n tab\t';
const header: CaptureHeader = {
  relay: 'rly_1',
  source: 'directory',
  capturedAt: new Date(1_800_000_000_000),
  sequence: '4711',
};

let key: SealingKey;
let privateKey: Parameters<typeof unsealCapture>[1];

beforeAll(async () => {
  const keys = await openKeyDirectory(mkdtempSync(path.join(os.tmpdir(), 'lockstep-keys-')));
  key = await sealingKey('ep_1', await keys.createEpochKey('ep_1'));
  const made = await keys.epochKey('ep_1');
  if (made === null) throw new Error('no key');
  privateKey = made;
});

const account = 'uid=älice,dc=example';
const capture = { account, password: Secret.fromText(CANARY), hashed: false, current: null };

test('a sealed capture opens to the same bytes, with its form and the current password if there is one', async () => {
  const alone = await unsealCapture(await sealCapture(key, header, capture), privateKey, header);
  expect([alone.account, alone.password.text(), alone.hashed]).toEqual([account, CANARY, false]);
  expect(alone.current).toBeNull();
  const more = { hashed: true, current: Secret.fromText('before') };
  const jwe = await sealCapture(key, header, { ...capture, ...more });
  const both = await unsealCapture(jwe, privateKey, header);
  expect([both.hashed, both.password.text(), both.current?.text()]).toEqual([
    ...[true, CANARY, 'before'],
  ]);
});

test('a sealed capture shows when and where it was captured, and not the account', async () => {
  const jwe = (await sealCapture(key, header, capture)).toString('latin1');
  expect(readHeader(jwe)).toEqual({ keyId: 'ep_1', header });
  const readable = Buffer.from(jwe.split('.')[0] ?? '', 'base64url').toString();
  expect(readable).not.toContain('lice');
});

test('a sealed capture does not open for another relay or source', async () => {
  const jwe = await sealCapture(key, header, capture);
  for (const other of [{ relay: 'rly_2' }, { source: 'warehouse' }])
    await expect(unsealCapture(jwe, privateKey, { ...header, ...other })).rejects.toThrow(
      'not of this relay',
    );
});

test('a capture that another release sealed in its own layout is not opened', async () => {
  const members = { rly: 'rly_1', src: 'directory', at: header.capturedAt.getTime(), seq: '4711' };
  const sealedBy = (more: object, options = {}) =>
    new CompactEncrypt(Buffer.alloc(80, 1))
      .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', kid: 'ep_1', ...members, ...more })
      .encrypt(key.publicKey, options);
  const newer = await sealedBy({ fmt: 3, crit: ['fmt'] }, { crit: { fmt: true } });
  for (const jwe of [await sealedBy({}), newer])
    await expect(unsealCapture(Buffer.from(jwe), privateKey, header)).rejects.toThrow(
      'another release',
    );
});
