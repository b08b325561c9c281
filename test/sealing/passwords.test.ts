import { mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { CompactEncrypt } from 'jose';
import { Secret } from '../../model/passwords/secret';
import { sealingKey } from '../../sealing/jwe';
import { SEED_BYTES, type SealedFor, seal, unseal } from '../../sealing/passwords';
import { openKeyDirectory } from '../../store/worker/keys/key-directory';
import type { KeyStore } from '../../store/worker/keys/key-store';

const CANARY = 'Zürich-"quotes"\\ 🔑\n tab\t';
const forChange: SealedFor = {
  changeId: 'chg_1',
  identityId: 'idn_1',
  seq: 7,
  expiresAt: new Date(1_800_000_000_000),
};

let keys: KeyStore;
let key: Awaited<ReturnType<typeof sealingKey>>;

beforeAll(async () => {
  keys = await openKeyDirectory(mkdtempSync(path.join(os.tmpdir(), 'lockstep-keys-')));
  key = await sealingKey('ep_1', await keys.createEpochKey('ep_1'));
});

const privateKey = async () => {
  const found = await keys.epochKey('ep_1');
  if (found === null) throw new Error('no key');
  return found;
};
const sealed = (current: Secret | null = null) =>
  seal(key, forChange, {
    next: Secret.fromText(CANARY),
    current,
    form: 'plaintext',
    seed: Secret.of(Buffer.alloc(SEED_BYTES, 7)),
  });

test('a sealed password opens to the same bytes, with and without a current password', async () => {
  const alone = await unseal(await sealed(), await privateKey(), forChange);
  expect([alone.next.text(), alone.current]).toEqual([CANARY, null]);
  const both = await unseal(await sealed(Secret.fromText('old')), await privateKey(), forChange);
  expect([both.next.text(), both.current?.text()]).toEqual([CANARY, 'old']);
});

test('the form and the seed are sealed with the password', async () => {
  const seed = Secret.of(Buffer.from(Array.from({ length: SEED_BYTES }, (_, index) => index)));
  const hash = '{SSHA}DkMTwBl+a/3DQTxCYEApdUtNXGgdUac3';
  const jwe = await seal(key, forChange, {
    next: Secret.fromText(hash),
    current: null,
    form: 'ssha',
    seed,
  });
  const opened = await unseal(jwe, await privateKey(), forChange);
  expect([opened.next.text(), opened.form, opened.seed.equals(seed)]).toEqual([hash, 'ssha', true]);
  const plain = await unseal(await sealed(), await privateKey(), forChange);
  expect(plain.form).toBe('plaintext');
});

test('a password that looks like a hash stays a password, and a text that is not a hash does not open as one', async () => {
  const passwords = { current: null, seed: Secret.of(Buffer.alloc(SEED_BYTES)) };
  const hash = Secret.fromText('{SSHA}DkMTwBl+a/3DQTxCYEApdUtNXGgdUac3');
  const plain = await seal(key, forChange, { ...passwords, next: hash, form: 'plaintext' });
  expect((await unseal(plain, await privateKey(), forChange)).form).toBe('plaintext');
  const word = Secret.fromText('no hash');
  const wrong = await seal(key, forChange, { ...passwords, next: word, form: 'ssha' });
  await expect(unseal(wrong, await privateKey(), forChange)).rejects.toThrow(/not known here/);
});

test('a password that another release sealed in its own layout is not opened, instead of being mistaken for another one', async () => {
  const header = {
    alg: 'ECDH-ES',
    enc: 'A256GCM',
    kid: 'ep_1',
    cid: 'chg_1',
    sub: 'idn_1',
    seq: 7,
  };
  const older = Buffer.concat([Buffer.from([0, 0, 0, 60]), Buffer.alloc(60, 'x')]);
  const sealedBy = (more: object, options = {}) =>
    new CompactEncrypt(older)
      .setProtectedHeader({ ...header, exp: forChange.expiresAt.getTime(), ...more })
      .encrypt(key.publicKey, options);
  const newer = await sealedBy({ fmt: 3, crit: ['fmt'] }, { crit: { fmt: true } });
  for (const jwe of [await sealedBy({}), newer])
    await expect(unseal(Buffer.from(jwe), await privateKey(), forChange)).rejects.toThrow(
      'another release',
    );
});

test('a sealed password contains no part of the password', async () => {
  const jwe = (await sealed()).toString('latin1');
  expect(jwe).not.toContain('rich-');
  expect(jwe).not.toContain(Buffer.from(CANARY).toString('base64url').slice(4, 20));
});

test('sealing the same password twice looks different each time', async () => {
  expect((await sealed()).equals(await sealed())).toBe(false);
});

test.each<[keyof SealedFor, SealedFor]>([
  ['changeId', { ...forChange, changeId: 'chg_2' }],
  ['identityId', { ...forChange, identityId: 'idn_2' }],
  ['seq', { ...forChange, seq: 8 }],
  ['expiresAt', { ...forChange, expiresAt: new Date(1_900_000_000_000) }],
])('a sealed password moved to another %s does not open', async (_what, other) => {
  await expect(unseal(await sealed(), await privateKey(), other)).rejects.toThrow(
    /not for this change/,
  );
});

test('a sealed password does not open with any of its bytes changed', async () => {
  const jwe = await sealed();
  const privately = await privateKey();
  for (let at = 0; at < jwe.length; at++) {
    const tampered = Buffer.from(jwe);
    tampered[at] = tampered[at] === 0x41 ? 0x42 : 0x41;
    if (decodesAlike(tampered, jwe)) continue;
    await expect(unseal(tampered, privately, forChange)).rejects.toThrow();
  }
});

/** The last letter of a base64url part may have bits that are not used. */
const decodesAlike = (one: Buffer, other: Buffer): boolean => {
  const decoded = (jwe: Buffer) =>
    jwe
      .toString('ascii')
      .split('.')
      .map((part) => Buffer.from(part, 'base64url').toString('hex'))
      .join('.');
  return decoded(one) === decoded(other);
};

test('a sealed password does not open with another epoch key', async () => {
  await keys.createEpochKey('ep_2');
  const other = await keys.epochKey('ep_2');
  if (other === null) throw new Error('no key');
  await expect(unseal(await sealed(), other, forChange)).rejects.toThrow();
});
