import { readFile, stat } from 'node:fs/promises';
import { BlocklistDamaged, checkBlocklist, isListed } from '../../blocklist/lookup';
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
            check: () => checkBlocklist(blocklist).catch(unusable(blocklist)),
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
  file === null ? false : isListed(file, password).catch(unusable(file));

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

async function readDictionary(file: string): Promise<WordList> {
  const version = await versionOf(file);
  const cached = fileLists.get(file);
  if (cached?.version === version) return cached.words;
  const parsed = parseDictionary(await readFile(file, 'utf8').catch(unusable(file)));
  if ('line' in parsed) throw new PolicyFileError(`${file}: line ${parsed.line} ${parsed.says}`);
  const words = wordList(parsed.words);
  fileLists.set(file, { version, words });
  return words;
}

async function versionOf(file: string): Promise<string> {
  const { ino, size, mtimeMs } = await stat(file).catch(unusable(file));
  return `${ino} ${size} ${mtimeMs}`;
}

const unusable =
  (file: string) =>
  (error: NodeJS.ErrnoException): never => {
    if (error instanceof BlocklistDamaged) throw new PolicyFileError(error.message);
    if (error.code === undefined) throw error;
    throw new PolicyFileError(
      `${file} cannot be read by the api (${error.code}). Put it on the host of every api, and let the user of the api read it.`,
    );
  };
