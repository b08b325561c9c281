import { readFile } from 'node:fs/promises';
import { replaceFile } from '../replace-file';
import type { Checkpoint } from './poller';

export async function openCheckpoint(file: string): Promise<Checkpoint> {
  let place = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  return {
    current: () => place,
    async moveTo(next) {
      if (next === place) return;
      await replaceFile(file, next);
      place = next;
    },
  };
}
