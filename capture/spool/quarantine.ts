import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { log } from '../../log';
import { syncFolder } from './segments';

/** A folder for spool data that cannot be delivered, kept for an operator. Its records are sealed like all others. */
export interface Quarantine {
  /** Number of quarantined files. */
  count(): number;
  /** Moves a whole segment file there, with `records` that were not delivered. */
  segment(file: string, records: number): Promise<void>;
  /** Writes the damaged bytes of a segment file to a file of their own. */
  damaged(file: string, from: number, bytes: Buffer): Promise<void>;
}

/**
 * Opens the quarantine folder.
 * @param maxBytes maximum size of all files in it; beyond that the oldest files are removed
 */
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
      log.error('the quarantine is full: the relay removed its oldest file', {
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
      log.error('the spool is full: its oldest records are quarantined and will not be delivered', {
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
      log.error(
        'damaged bytes of the spool are quarantined: a crash cut a record, or the disk is faulty',
        {
          count: bytes.length,
        },
      );
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
