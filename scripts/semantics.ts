import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

interface Rule {
  /** The rule, as full sentences. */
  readonly says: string;
  /** The part that is not kept yet, and why; absent for a rule that a test keeps. */
  readonly missing?: string;
}

/**
 * The rules of a faithful password synchronization, as the systems that Lockstep unites document them (reference
 * semantics §6, with its numbers). A test that keeps rules names their numbers in its title, with `keeps`.
 */
export const rules: Readonly<Record<number, Rule>> = {
  1: {
    says: 'The auth account goes first. If it fails, no other account is attempted, and the outcome of each says so. While it waits, the other accounts wait for it.',
  },
  2: {
    says: 'A disabled auth account may still be changed.',
  },
  3: {
    says: 'Lockstep writes to an account that its source has disabled; the source decides. It skips a mapping or an application that is disabled in Lockstep.',
  },
  4: {
    says: 'A failure of one source is recorded, and the other sources continue. In a directory-last group the directory is changed only if every other account was.',
  },
  5: {
    says: 'Several accounts in one source: all of them are changed if the source is configured so, each with its own outcome. Otherwise the primary account is changed, and the plan shows which accounts were left out and why.',
  },
  6: {
    says: 'One account belongs to one person.',
  },
  7: {
    says: 'A capture of an account that is not linked has no effect, and its sender gets no error.',
  },
  8: {
    says: 'The policy of the group is checked first, then each source checks its own. A password that a source refuses is not tried there again.',
  },
  9: {
    says: 'A new policy applies to the next change. When a group is removed, its sources keep its policy.',
  },
  10: {
    says: 'A source that is down is retried on a schedule of its own, for long. These attempts do not count towards the few attempts after an unknown error.',
  },
  11: {
    says: 'A change is given up at its age limit, by the clock of the database.',
  },
  12: {
    says: 'After two changes of one person every account ends with the newest password. The older change leaves the remaining accounts to the newer one.',
  },
  13: {
    says: 'The same change reported twice is one change. A capture is compared with the latest value only, so that A, then B, then A again is not lost.',
  },
  14: {
    says: 'A capture of a password that Lockstep wrote is an echo and starts nothing. The account in which a password was changed is not written back.',
  },
  15: {
    says: 'If the current password is given, it is verified before any write; a wrong one stops the change.',
  },
  16: {
    says: 'Each mapping of a changed account is updated; otherwise the next change could not begin from it.',
  },
  17: {
    says: 'A mapping advances only after its system has changed, and is flagged if the result is unknown.',
  },
  18: {
    says: 'Accepted is not done: a caller can query both and wait for both, account by account.',
  },
  19: {
    says: 'Captures are off until a source switches them on.',
  },
  20: {
    says: 'Hashes of a source go only to targets that accept them; the configuration is refused otherwise.',
  },
  21: {
    says: 'A hash from an agent is not a password.',
  },
  22: {
    says: 'A change that was not captured is reported as missed; only a new change, or the next sign-in, repairs it.',
  },
  23: {
    says: 'A domain controller without an agent is reported.',
  },
  24: {
    says: 'After a crash in the middle of a change, no completed write is repeated with another value, and the rest continues.',
  },
  25: {
    says: 'The right of the requester is checked again when a waiting change runs.',
  },
  26: {
    says: 'A source that is switched off gets no request, and nothing is queued for it.',
  },
  27: {
    says: 'A SCIM target never gets a document whose missing password would be wiped. The placeholder password of a new user from a SCIM sender is ignored.',
  },
  28: {
    says: 'A federated or passwordless account is left out, not failed.',
  },
  29: {
    says: 'A password filter rewrites the password for its source; the mapping holds the value that the source holds.',
  },
  30: {
    says: 'Without a key to seal to, a change is refused at once; no password is ever stored in clear. Credentials that the lookup service has returned before stay readable.',
  },
  31: {
    says: 'Every account of a group gets the same password; where a filter changes it, the configuration shows that.',
  },
  32: {
    says: 'An account, a mapping or a source that is removed during a change is left out, and the outcome says so.',
  },
};

export interface Keeper {
  readonly rule: number;
  /** Path from the root of the repository. */
  readonly file: string;
  readonly title: string;
}

/** Matches `keeps('title', 1, 2)` as biome formats it: a literal, then numbers. */
const KEEPS = /\bkeeps\(\s*(['"`])((?:\\.|(?!\1).)*)\1,\s*([\d,\s]+)\)/g;

/**
 * Finds every test below `test/` that names the rules it keeps, in the order of the files.
 * @param root the root of the repository
 */
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
