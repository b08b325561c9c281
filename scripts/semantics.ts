/**
 * What a faithful password synchronization must get right, as the systems do that Lockstep unites (reference semantics §6,
 * by its numbers), and the tests that keep each rule. `test/docs.test.ts` holds every title against its file.
 */
export interface Rule {
  readonly rule: number;
  readonly says: string;
  readonly tests: readonly { readonly file: string; readonly title: string }[];
  /** What is not kept yet, and why. */
  readonly missing?: string;
}

const inFile =
  (file: string) =>
  (...titles: string[]) =>
    titles.map((title) => ({ file: `test/${file}.test.ts`, title }));

const seed = inFile('model/seed-001');
const live = inFile('worker/change-password');
const mode = inFile('worker/failure-mode');
const waiting = inFile('workflows/waiting');
const retry = inFile('model/retry');
const claims = inFile('store/claims');
const configured = inFile('model/configuration');

export const rules: readonly Rule[] = [
  {
    rule: 1,
    says: 'The auth account goes first. It fails: nothing else is attempted, and every other account says so. While it waits, the others wait for it.',
    tests: [
      ...live(
        'the auth account refuses: no other account is tried',
        'the auth source is away: nobody else is attempted before it has answered',
      ),
      ...waiting(
        'an auth source that stays away: the change expires, and nobody else was attempted',
      ),
    ],
  },
  {
    rule: 2,
    says: 'A disabled auth account may still be changed.',
    tests: seed('Users can change passwords on auth accounts, but if the auth account is disabled'),
  },
  {
    rule: 3,
    says: 'An account that its source has disabled is sent, and the source decides. A mapping or application that is disabled here is left as it is.',
    tests: seed('If a password sync group’s account is disabled at the source'),
  },
  {
    rule: 4,
    says: 'A source that fails is recorded, and the group goes on; with directory-last the directory is changed only if every other account was.',
    tests: [
      ...live(
        'one account is rejected: the others are done, it is never tried again, and says why',
      ),
      ...mode(
        'every other account takes the new password: the directory is changed, last',
        'one account refuses: the directory keeps the old password, and says why',
      ),
    ],
  },
  {
    rule: 5,
    says: 'Several accounts in one source: all of them where the source says so, each on its own; else the primary one, and the plan says which were left and why.',
    tests: [
      ...live(
        'several in one source: all of them with multipleAccountPasswordSync, else the first',
      ),
      ...seed(
        'without multipleAccountPasswordSync the account marked primary is changed, else the first linked',
      ),
    ],
  },
  {
    rule: 6,
    says: 'One account belongs to one person.',
    tests: inFile('api/people')(
      'an account that belongs to somebody else is refused, and nothing is changed',
    ),
  },
  {
    rule: 8,
    says: 'The policy of the group judges first, then each source. What only a source refuses is not tried again with the same value.',
    tests: [
      ...inFile('api/changes')('every rule of every covered group is told at once'),
      ...live(
        'one account is rejected: the others are done, it is never tried again, and says why',
      ),
    ],
  },
  {
    rule: 9,
    says: 'A new policy judges the next change. A group that is taken away leaves its policy to each of its sources.',
    tests: [
      ...inFile('api/idempotency')('is known again though the policy has become stricter'),
      ...configured(
        'and each is changed on its own',
        'also when the same document is applied again',
      ),
      ...mode('a source with a policy of its own is changed on its own'),
    ],
  },
  {
    rule: 10,
    says: 'A source that is away is tried again for long, on a schedule of its own; that uses up none of the few attempts at an unknown error.',
    tests: [
      ...retry(
        'an offline source is tried again after 5 s, 1, 3, 10, 30 and 90 minutes, then hourly',
        'what the source asks for is honoured when it is longer, and not when it is shorter',
      ),
      ...waiting('a source that comes back in the middle of a long wait: the account follows'),
      ...live(
        'a source is away for a while: the others are done at once, and it follows by itself',
      ),
    ],
  },
  {
    rule: 11,
    says: 'A change that is too old is given up, by the clock of the database.',
    tests: waiting(
      'a source that stays away is tried on the schedule until the change is too old, then the account is expired',
    ),
  },
  {
    rule: 12,
    says: 'Two changes of one person: the newest is what every account ends with; the older one leaves the rest to it.',
    tests: [
      ...live(
        'two changes of one person: the newest is what every account ends with',
        'many changes of one person at once: whatever the order of their steps, the newest stays',
      ),
      ...claims('what a newer change has begun or written is left alone by an older one'),
    ],
  },
  {
    rule: 15,
    says: 'Where the current password is given, it is validated before any write; a wrong one stops everything.',
    tests: [
      ...live('the current password is wrong: nothing is changed, and the person is told so'),
      ...mode('the current password is wrong: no other account is tried'),
    ],
  },
  {
    rule: 16,
    says: 'Each mapping of a changed account is brought up to date, else the next change could not begin from it.',
    tests: live('a late account takes its mapping along'),
  },
  {
    rule: 17,
    says: 'A mapping advances after its system has changed, never before, and is flagged where nobody knows.',
    tests: live(
      'each mapping of a changed account advances, that of an unchanged one stays',
      'an account that is left in doubt has its mapping flagged',
    ),
  },
  {
    rule: 18,
    says: 'Accepted is not done: both can be asked for and waited for, account by account.',
    tests: inFile('api/waiting')(
      'until every account has its outcome',
      'until the auth account holds it',
    ),
  },
  {
    rule: 24,
    says: 'A crash in the middle: what is done is not done again with another value, and the rest goes on.',
    tests: [
      ...inFile('e2e/crashes')('nothing is lost, and nothing written twice'),
      ...claims('after a crash in the middle the next attempt knows that it is in doubt'),
    ],
  },
  {
    rule: 26,
    says: 'A source that is switched off is not asked, and nothing is queued for it.',
    tests: [
      ...seed('a source that is switched off is left out, and the plan says why'),
      ...live('a source that is switched off, and one that is taken away meanwhile, are left out'),
    ],
  },
  {
    rule: 29,
    says: 'A password filter rewrites the password for its source; the mapping holds what the source holds.',
    tests: [
      ...live(
        'a password filter: the source gets, proves and maps what it makes of the password',
        'a password filter leaves too little: its source is not asked, the others go on',
      ),
    ],
  },
  {
    rule: 30,
    says: 'Without a key to seal to, a change is refused at once; nothing is ever kept in clear.',
    tests: [
      ...inFile('api/process')(
        'refuses passwords until a worker has published a key, and then takes them',
      ),
      ...inFile('api/changes')('an epoch that is destroyed before its time is not sealed to'),
    ],
  },
  {
    rule: 31,
    says: 'Every account of a group gets the same password; where a filter makes it another one, the configuration says so.',
    tests: live('reaches every account, each proved by a login, and the old password is refused'),
  },
  {
    rule: 32,
    says: 'An account, a mapping or a source that is taken away under way is left out, and says so.',
    tests: [
      ...claims('an account that was unlinked meanwhile is not written'),
      ...live('a source that is switched off, and one that is taken away meanwhile, are left out'),
      ...inFile('api/people')('an account is unlinked, and its mapping goes with it'),
    ],
  },
];
