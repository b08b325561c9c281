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
const captured = inFile('worker/captures');
const capture = inFile('model/capture');
const troubled = inFile('worker/sources');
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
    rule: 7,
    says: 'A capture of an account that is nobody’s has no effect, and is no error to whoever sent it.',
    tests: inFile('api/captures')(
      'of nobody have no effect, and do not name the account in the audit',
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
      ...troubled(
        'five answers that nobody knows: parked, until somebody retries it when that is put right',
      ),
    ],
  },
  {
    rule: 11,
    says: 'A change that is too old is given up, by the clock of the database.',
    tests: [
      ...waiting(
        'a source that stays away is tried on the schedule until the change is too old, then the account is expired',
      ),
      ...capture('is too old at the age limit, counted from the capture'),
    ],
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
      ...captured('before the latest change: changes nothing, though it is told later'),
      ...inFile('worker/order')(
        'whatever the order of their steps, the newest is what every account ends with',
      ),
    ],
  },
  {
    rule: 13,
    says: 'The same change told twice is one change; it is compared with the latest value only, so that A, then B, then A again is not lost.',
    tests: [
      ...captured(
        'and told twice: one change',
        'to another one and back again, in a moment: both are carried out',
      ),
      ...capture(
        'of the value of the latest change is a duplicate for ten minutes, and then a change',
      ),
    ],
  },
  {
    rule: 14,
    says: 'What we wrote ourselves comes back as an echo and starts nothing; where a password was changed it is not written back.',
    tests: captured(
      'by us: our own write is known again, in every source',
      'in the auth source: is carried to the others, and never written back',
    ),
  },
  {
    rule: 15,
    says: 'Where the current password is given, it is validated before any write; a wrong one stops everything.',
    tests: [
      ...live('the current password is wrong: nothing is changed, and the person is told so'),
      ...mode('the current password is wrong: no other account is tried'),
      ...capture('without a current password that has to be checked is refused'),
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
    rule: 19,
    says: 'Captures are off until a source switches them on.',
    tests: inFile('api/captures')(
      'are refused for a source that takes none, whoever the account belongs to',
    ),
  },
  {
    rule: 20,
    says: 'A source that gives only hashes goes only to targets that take them, and is refused otherwise when it is configured.',
    tests: [],
    missing: 'no source gives hashes.',
  },
  {
    rule: 21,
    says: 'A hash of an agent is not a password.',
    tests: [],
    missing: 'no agent gives hashes.',
  },
  {
    rule: 22,
    says: 'A change that was missed while its agent was down is told as such.',
    tests: [
      ...inFile('api/relays')(
        'whose segment follows on something else, as when %s: taken, and said aloud',
      ),
      ...inFile('capture/relay')(
        'whose spool was damaged: the rest is delivered, and what is lost is told',
      ),
    ],
    missing: 'what a source did not hand over while its relay was down, only the source knows.',
  },
  {
    rule: 23,
    says: 'A domain controller without an agent is told as such.',
    tests: [],
    missing: 'relays are listed, not the domain controllers that need one.',
  },
  {
    rule: 24,
    says: 'A crash in the middle: what is done is not done again with another value, and the rest goes on.',
    tests: [
      ...inFile('e2e/crashes')('nothing is lost, and nothing written twice'),
      ...inFile('capture/relay')(
        'killed at every step: loses nothing, reorders nothing, and nothing is taken in twice',
      ),
      ...claims('after a crash in the middle the next attempt knows that it is in doubt'),
    ],
  },
  {
    rule: 25,
    says: 'The right of whoever asked is checked again when a waiting change runs.',
    tests: captured(
      'and the API key is revoked while an account waits: what is not written is cancelled',
    ),
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
    rule: 27,
    says: 'A SCIM target is never sent a document without the password that it would wipe.',
    tests: [],
    missing: 'there is no SCIM connector.',
  },
  {
    rule: 28,
    says: 'A federated or passwordless account is left out, not failed.',
    tests: [],
    missing: 'no connector tells such accounts apart.',
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
