import { readFile } from 'node:fs/promises';
import { replaceFile } from '../replace-file';
import type { Checkpoint } from './poller';

/** Opens a checkpoint that is kept in a file. A missing file means that nothing was saved yet. */
export async function openCheckpoint(file: string): Promise<Checkpoint> {
  let saved = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  return {
    current: () => saved,
    async moveTo(next) {
      if (next === saved) return;
      await replaceFile(file, next);
      saved = next;
    },
  };
}
