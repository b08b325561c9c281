import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { log } from '../../log';
import { syncFolder } from './segments';

/** What cannot be delivered is not removed, but put where an operator finds it. Everything there is sealed, too. */
export interface Quarantine {
  /** How many files there are. */
  count(): number;
  segment(file: string, records: number): Promise<void>;
  damaged(file: string, from: number, bytes: Buffer): Promise<void>;
}

/** @param maxBytes of all files there; then the oldest is removed */
export async function openQuarantine(dir: string, maxBytes: number): Promise<Quarantine> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  let files = await list(dir);

  const makeRoom = async (): Promise<void> => {
    files = await list(dir);
    let total = files.reduce((sum, { bytes }) => sum + bytes, 0);
    while (total > maxBytes && files.length > 1) {
      const [oldest, ...others] = files;
      if (oldest === undefined) break;
      await rm(oldest.file);
      log.error('the oldest file that was set aside is removed: there is no more room', {
        count: oldest.bytes,
      });
      total -= oldest.bytes;
      files = others;
    }
    await syncFolder(dir);
  };

  return {
    count: () => files.length,
    async segment(file, records) {
      await rename(file, path.join(dir, path.basename(file)));
      log.error('the spool is full: its oldest records are set aside and will not be delivered', {
        count: records,
      });
      await makeRoom();
    },
    async damaged(file, from, bytes) {
      const target = path.join(dir, `${path.basename(file)}.${from}.damaged`);
      const handle = await open(target, 'w', 0o600);
      try {
        await handle.writeFile(bytes);
        await handle.sync();
      } finally {
        await handle.close();
      }
      log.error('bytes of the spool are no record: a crash cut one off, or the disk is bad', {
        count: bytes.length,
      });
      await makeRoom();
    },
  };
}

async function list(dir: string) {
  const names = (await readdir(dir)).sort();
  return Promise.all(
    names.map(async (name) => {
      const file = path.join(dir, name);
      return { file, bytes: (await stat(file)).size };
    }),
  );
}
