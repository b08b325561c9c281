import { existsSync, readFileSync } from 'node:fs';
import { fileError } from '../../start-errors';
import { createApiKey } from '../../store/api-keys';
import type { Database } from '../../store/database';
import { writeKeyFile } from '../admin/first-key';

/**
 * Reads the API key of the pages for people. If the file is missing, creates a key that may change a password together
 * with the current one and read changes, and nothing else.
 * @param file undefined: the console has no pages for people
 */
export async function openConsoleKey(
  db: Database,
  file: string | undefined,
): Promise<string | null> {
  if (file === undefined) return null;
  try {
    if (!existsSync(file)) {
      const scopes = ['change-own' as const, 'read' as const];
      const wanted = { name: 'console', scopes, groups: null, expiresAt: null };
      await writeKeyFile(file, () => createApiKey(db, wanted, 'lockstep'));
    }
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw fileError('LOCKSTEP_CONSOLE_KEY_FILE', file, error);
  }
}
