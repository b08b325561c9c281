import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { Failure, usage } from '../failure';

/**
 * Makes an API key and saves it in a new file that only its owner can read. The file is created first, so that no key is
 * made that cannot be saved.
 */
export async function saveKey<Made extends { readonly key: string }>(
  file: string,
  make: () => Promise<Made>,
): Promise<Made> {
  const descriptor = openNew(file);
  try {
    const made = await make();
    writeSync(descriptor, `${made.key}\n`);
    return made;
  } catch (error) {
    rmSync(file, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

function openNew(file: string): number {
  try {
    return openSync(file, 'wx', 0o600);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw code === 'EEXIST'
      ? usage(`${file} exists, and a key never replaces a file. Name another file.`)
      : new Failure(`${file} cannot be created (${code}). No key was made.`);
  }
}
