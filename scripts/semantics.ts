import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

interface Rule {
  readonly says: string;
  /** What is not kept yet, and why. */
  readonly missing?: string;
}

/**
 * What a faithful password synchronization must get right, as the systems do that Lockstep unites (reference semantics §6,
 * by its numbers). The tests that keep a rule say so in their title, with `keeps`.
 */
export const rules: Readonly<Record<number, Rule>> = {
  1: {
    says: 'The auth account goes first. It fails: nothing else is attempted, and every other account says so. While it waits, the others wait for it.',
  },
  2: {
    says: 'A disabled auth account may still be changed.',
  },
  3: {
    says: 'An account that its source has disabled is sent, and the source decides. A mapping or application that is disabled here is left as it is.',
  },
  4: {
    says: 'A source that fails is recorded, and the group goes on; with directory-last the directory is changed only if every other account was.',
  },
  5: {
    says: 'Several accounts in one source: all of them where the source says so, each on its own; else the primary one, and the plan says which were left and why.',
  },
  6: {
    says: 'One account belongs to one person.',
  },
  7: {
    says: 'A capture of an account that is nobody’s has no effect, and is no error to whoever sent it.',
  },
  8: {
    says: 'The policy of the group judges first, then each source. What only a source refuses is not tried again with the same value.',
  },
  9: {
    says: 'A new policy judges the next change. A group that is taken away leaves its policy to each of its sources.',
  },
  10: {
    says: 'A source that is away is tried again for long, on a schedule of its own; that uses up none of the few attempts at an unknown error.',
  },
  11: {
    says: 'A change that is too old is given up, by the clock of the database.',
  },
  12: {
    says: 'Two changes of one person: the newest is what every account ends with; the older one leaves the rest to it.',
  },
  13: {
    says: 'The same change told twice is one change; it is compared with the latest value only, so that A, then B, then A again is not lost.',
  },
  14: {
    says: 'What we wrote ourselves comes back as an echo and starts nothing; where a password was changed it is not written back.',
  },
  15: {
    says: 'Where the current password is given, it is validated before any write; a wrong one stops everything.',
  },
  16: {
    says: 'Each mapping of a changed account is brought up to date, else the next change could not begin from it.',
  },
  17: {
    says: 'A mapping advances after its system has changed, never before, and is flagged where nobody knows.',
  },
  18: {
    says: 'Accepted is not done: both can be asked for and waited for, account by account.',
  },
  19: {
    says: 'Captures are off until a source switches them on.',
  },
  20: {
    says: 'A source that gives only hashes goes only to targets that take them, and is refused otherwise when it is configured.',
  },
  21: {
    says: 'A hash of an agent is not a password.',
  },
  22: {
    says: 'A change that was missed while nobody captured is told as such; only a new change, or the next sign-in, cures it.',
  },
  23: {
    says: 'A domain controller without an agent is told as such.',
  },
  24: {
    says: 'A crash in the middle: what is done is not done again with another value, and the rest goes on.',
  },
  25: {
    says: 'The right of whoever asked is checked again when a waiting change runs.',
  },
  26: {
    says: 'A source that is switched off is not asked, and nothing is queued for it.',
  },
  27: {
    says: 'A SCIM target is never sent a document without the password that it would wipe; of a SCIM sender the placeholder of a new user is ignored.',
  },
  28: {
    says: 'A federated or passwordless account is left out, not failed.',
  },
  29: {
    says: 'A password filter rewrites the password for its source; the mapping holds what the source holds.',
  },
  30: {
    says: 'Without a key to seal to, a change is refused at once; nothing is ever kept in clear.',
  },
  31: {
    says: 'Every account of a group gets the same password; where a filter makes it another one, the configuration says so.',
  },
  32: {
    says: 'An account, a mapping or a source that is taken away under way is left out, and says so.',
  },
};

export interface Keeper {
  readonly rule: number;
  /** Below the folder of the project. */
  readonly file: string;
  readonly title: string;
}

/** Both are formatted by biome: a literal, then numbers. */
const KEEPS = /\bkeeps\(\s*(['"`])((?:\\.|(?!\1).)*)\1,\s*([\d,\s]+)\)/g;

/** Every test that says that it keeps a rule. */
export function keepers(root: string): readonly Keeper[] {
  const files = readdirSync(path.join(root, 'test'), { recursive: true })
    .map((file) => path.join('test', String(file)))
    .filter((file) => file.endsWith('.test.ts'))
    .sort();
  return files.flatMap((file) =>
    [...readFileSync(path.join(root, file), 'utf8').matchAll(KEEPS)].flatMap(
      ([, , title = '', numbers = '']) =>
        [...numbers.matchAll(/\d+/g)].map(([rule]) => ({ rule: Number(rule), file, title })),
    ),
  );
}
