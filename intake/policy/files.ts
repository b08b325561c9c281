import { stat } from 'node:fs/promises';
import { BlocklistDamaged, checkBlocklist, isListed } from '../../blocklist/lookup';
import { environment, Misconfigured } from '../../config';
import { fileInside, readRegular } from '../../guarded-file';
import type { Configuration, ConfigurationIssue } from '../../model/configuration/document';
import type { Secret } from '../../model/passwords/secret';
import { parseDictionary } from '../../model/policy/dictionary';
import { type WordList, wordList } from '../../model/policy/word-list';

/** Thrown when a file that a policy names cannot be used. The message says what to do. */
export class PolicyFileError extends Error {}

/** The issues of the files that the policies name, found before a configuration is applied. */
export async function policyFileIssues({ policies }: Configuration): Promise<ConfigurationIssue[]> {
  const named = Object.entries(policies).flatMap(([policy, { dictionary, blocklist }]) => [
    ...(typeof dictionary === 'string'
      ? [{ path: ['policies', policy, 'dictionary'], check: () => readDictionary(dictionary) }]
      : []),
    ...(blocklist === undefined
      ? []
      : [
          {
            path: ['policies', policy, 'blocklist'],
            check: () => usable(blocklist, checkBlocklist),
          },
        ]),
  ]);
  const issues = await Promise.all(
    named.map(async ({ path, check }) => {
      try {
        await check();
        return [];
      } catch (error) {
        if (error instanceof PolicyFileError) return [{ path, says: error.message }];
        throw error;
      }
    }),
  );
  return issues.flat();
}

/**
 * True when the blocklist file contains the password; false when `file` is null.
 * @throws PolicyFileError when the file cannot be used
 */
export const isBlocklisted = async (file: string | null, password: Secret): Promise<boolean> =>
  file === null ? false : usable(file, (found) => isListed(found, password));

const inlineLists = new WeakMap<readonly string[], WordList>();
const fileLists = new Map<string, { readonly version: string; readonly words: WordList }>();

/**
 * The words of the dictionary of a policy, cached until the list or the file changes.
 * @param named a path, the words themselves, or null for no dictionary
 * @throws PolicyFileError when the file cannot be used
 */
export async function dictionaryOf(named: string | readonly string[] | null): Promise<WordList> {
  if (named === null) return new Map();
  if (typeof named === 'string') return readDictionary(named);
  const words = inlineLists.get(named) ?? wordList(named);
  inlineLists.set(named, words);
  return words;
}

/** 2500 lines of 128 characters, each of 4 bytes at most. */
const MAX_DICTIONARY_BYTES = 2_500 * (128 * 4 + 2);

const readDictionary = (named: string): Promise<WordList> =>
  usable(named, async (file) => {
    const { ino, size, mtimeMs } = await stat(file);
    const version = `${ino} ${size} ${mtimeMs}`;
    const cached = fileLists.get(file);
    if (cached?.version === version) return cached.words;
    const parsed = parseDictionary(readRegular(file, MAX_DICTIONARY_BYTES).toString('utf8'));
    if ('line' in parsed) throw new PolicyFileError(`${named}: line ${parsed.line} ${parsed.says}`);
    const words = wordList(parsed.words);
    fileLists.set(file, { version, words });
    return words;
  });

/**
 * Calls `use` with the real path of a file that a policy names. An API key can change the policies, so the files are
 * limited to a folder.
 * @throws PolicyFileError when the file cannot be used
 */
async function usable<T>(named: string, use: (file: string) => Promise<T>): Promise<T> {
  try {
    const folder = { dir: environment.LOCKSTEP_POLICY_DIR, variable: 'LOCKSTEP_POLICY_DIR' };
    return await use(fileInside(folder, named));
  } catch (error) {
    if (error instanceof BlocklistDamaged || error instanceof Misconfigured)
      throw new PolicyFileError(error.message);
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof PolicyFileError || code === undefined) throw error;
    throw new PolicyFileError(
      `${named} cannot be read (${code}). Put it on the host of every api and worker, and let their users read it.`,
    );
  }
}
