import {
  chmodSync,
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { KeyStoreProblem } from '../../../../model/key-store-problem';
import { type MasterKeys, sealingKey } from '../../../../store/worker/keys/key-store';
import { openMasterFolder } from '../../../../store/worker/keys/master-folder';

/** A key folder with two master keys. */
async function twoKeys() {
  const dir = path.join(mkdtempSync(path.join(os.tmpdir(), 'lockstep-master-')), 'keys');
  const store = openMasterFolder(dir);
  const [older, current] = [await store.generate(), await store.generate()];
  const fileOf = (id: string) => path.join(dir, 'master', `${id}.key`);
  return { dir, store, older, current, fileOf };
}

type Keys = Awaited<ReturnType<typeof twoKeys>>;

const faults: [string, KeyStoreProblem, RegExp, (keys: Keys, id: string) => void][] = [
  ['is missing', 'missing', /restore/, ({ fileOf }, id) => rmSync(fileOf(id))],
  [
    ...(['is cut off', 'damaged', /is not a key of 32 bytes.*restore/] as const),
    ({ fileOf }, id) => overwrite(fileOf(id), Buffer.alloc(20)),
  ],
  [
    ...(['is empty', 'damaged', /is not a key of 32 bytes.*restore/] as const),
    ({ fileOf }, id) => overwrite(fileOf(id), Buffer.alloc(0)),
  ],
  [
    ...(['has other bytes', 'damaged', /holds another key.*restore/] as const),
    ({ fileOf }, id) => overwrite(fileOf(id), Buffer.alloc(32, 7)),
  ],
  [
    ...(['is that of another id', 'damaged', /holds another key.*restore/] as const),
    ({ fileOf, older, current }, id) => {
      rmSync(fileOf(id));
      copyFileSync(fileOf(id === older ? current : older), fileOf(id));
    },
  ],
  [
    ...(['can be read by others', 'exposed', /chmod go= /] as const),
    ({ fileOf }, id) => chmodSync(fileOf(id), 0o444),
  ],
];

function overwrite(file: string, content: Buffer): void {
  chmodSync(file, 0o600);
  writeFileSync(file, content);
}

describe.each(faults)('the file of a master key that %s', (_, problem, remedy, harm) => {
  test('is reported as its own problem, with the file and the remedy, also by a process that has read it before', async () => {
    const keys = await twoKeys();
    await keys.store.masterKey(keys.older);
    harm(keys, keys.older);
    for (const store of [keys.store, openMasterFolder(keys.dir)] satisfies MasterKeys[]) {
      const fault = await store.masterKeyFault(keys.older);
      expect([fault?.problem, fault?.message]).toEqual([problem, expect.stringMatching(remedy)]);
      expect(await sealingKey(store)).toEqual({ id: keys.current, problem: null });
    }
  });

  test('seals nothing new, and the process goes on', async () => {
    const keys = await twoKeys();
    await keys.store.currentMasterKey();
    harm(keys, keys.current);
    const missing = problem === 'missing';
    // Without the newest key, the one before it seals.
    const expected = missing ? { id: keys.older, problem: null } : { id: null, problem };
    for (const store of [keys.store, openMasterFolder(keys.dir)])
      expect(await sealingKey(store)).toEqual(expected);
  });

  test('is whole again after it was restored from a backup', async () => {
    const keys = await twoKeys();
    const bytes = readFileSync(keys.fileOf(keys.older));
    harm(keys, keys.older);
    rmSync(keys.fileOf(keys.older), { force: true });
    expect(await keys.store.add(keys.older, bytes)).toBe(true);
    expect(await keys.store.masterKeyFault(keys.older)).toBeNull();
  });
});

test('a master key of an earlier release, which has no sum, is used', async () => {
  const { dir, older, current } = await twoKeys();
  for (const file of readdirSync(path.join(dir, 'master')))
    if (file.endsWith('.sum')) rmSync(path.join(dir, 'master', file));
  const store = openMasterFolder(dir);
  expect(await sealingKey(store)).toEqual({ id: current, problem: null });
  expect(await store.masterKeyFault(older)).toBeNull();
});
