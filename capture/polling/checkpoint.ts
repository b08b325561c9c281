import { readFile } from 'node:fs/promises';
import { replaceFile } from '../replace-file';
import type { Place } from './poller';

export async function openPlace(file: string): Promise<Place> {
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
