import { mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Dependencies } from '../../../activities/dependencies';
import { passwordLender } from '../../../activities/shared/unseal-passwords';
import { Secret } from '../../../model/passwords/secret';
import { sealingKey } from '../../../sealing/jwe';
import { type Passwords, SEED_BYTES, seal } from '../../../sealing/passwords';
import { openKeyDirectory } from '../../../store/worker/keys/key-directory';
import type { KeyStore } from '../../../store/worker/keys/key-store';
import type { ChangeAtWork } from '../../../store/worker/outcomes';

let keys: KeyStore;
let change: ChangeAtWork;

beforeAll(async () => {
  keys = await openKeyDirectory(mkdtempSync(path.join(os.tmpdir(), 'lockstep-keys-')));
  const key = await sealingKey('ep_1', await keys.createEpochKey('ep_1'));
  const whose = { identityId: 'idn_1', seq: 7, expiresAt: new Date(1_800_000_000_000) };
  const jwe = await seal(
    key,
    { changeId: 'chg_1', ...whose },
    {
      next: Secret.fromText('the new one'),
      current: null,
      form: 'plaintext',
      seed: Secret.of(Buffer.alloc(SEED_BYTES, 7)),
    },
  );
  change = { id: 'chg_1', ...whose, sealed: { epochId: 'ep_1', jwe } } as ChangeAtWork;
});

const lender = () => passwordLender({ keys } as Dependencies, change);
const textOf = (passwords: Passwords | null) => passwords?.next.text();

test('borrowers at the same time share passwords, which are destroyed after the last of them', async () => {
  const lend = lender();
  const lent: (Passwords | null)[] = [];
  const ends: (() => void)[] = [];
  const borrow = () =>
    lend(async (passwords) => {
      lent.push(passwords);
      await new Promise<void>((resolve) => ends.push(resolve));
      return textOf(passwords);
    });
  const [first, second] = [borrow(), borrow()];
  while (ends.length < 2) await new Promise(setImmediate);
  expect(lent[0]).toBe(lent[1]);
  ends[0]?.();
  await expect(first).resolves.toBe('the new one');
  expect(textOf(lent[1] ?? null)).toBe('the new one');
  ends[1]?.();
  await expect(second).resolves.toBe('the new one');
  expect(() => textOf(lent[0] ?? null)).toThrow('This Secret is already destroyed');
});

test('a later borrower gets passwords that are unsealed again, also after a borrower that failed', async () => {
  const lend = lender();
  const failing = lend(() => Promise.reject(new Error('the source hung up')));
  await expect(failing).rejects.toThrow('the source hung up');
  await expect(lend(async (passwords) => textOf(passwords))).resolves.toBe('the new one');
});
