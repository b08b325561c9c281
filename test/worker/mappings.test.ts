import { findIdentity } from '../../store/people/identities';
import { linkMapping } from '../../store/people/mappings';
import { unsealCredential } from '../../store/worker/credentials';
import { holders, newPassword } from '../support/people';
import { keeps } from '../support/rules';
import { describeWith } from '../support/servers';
import { companyDocument, statesOf, workerSuite } from '../support/worker-suite';

/** The credentials of single sign-on applications, which follow the accounts that a change writes. */
describeWith(['slapd', 'postgres', 'temporal'], 'single sign-on mappings', () => {
  const document = (more: Parameters<typeof companyDocument>[1] = {}) => ({
    ...companyDocument(suite.company, more),
    applications: { expenses: { source: 'crm' }, wiki: { source: 'apps' } },
  });
  const suite = workerSuite(undefined, { recordsHistories: true });
  beforeEach(() => suite.lockstep.configure(document()));

  async function mapped() {
    const { person, accounts } = await suite.addPerson('directory', 'apps', 'crm');
    const { db } = suite.lockstep.database;
    const identity = await findIdentity(db, { name: person });
    if (identity === null) throw new Error('no person');
    for (const [application, source] of [
      ['wiki', 'apps'],
      ['expenses', 'crm'],
    ] as const) {
      const account = identity.accounts.find((linked) => linked.source === source);
      const link = { identityId: identity.id, application, accountId: account?.id ?? '' };
      await linkMapping(db, { ...link, enabled: true }, 'test');
    }
    return { person, accounts };
  }
  const stored = async (changeId: string) => {
    const rows = await suite.lockstep.database.db
      .selectFrom('mapping')
      .innerJoin('outcome', 'outcome.account_id', 'mapping.account_id')
      .where('outcome.change_id', '=', changeId)
      .select([
        'mapping.id',
        'mapping.application',
        'mapping.sealed',
        'mapping.master_key_id',
        'mapping.applied_seq',
      ])
      .execute();
    const open = async (row: (typeof rows)[number]) => {
      if (row.sealed === null) return null;
      const master = await suite.lockstep.keys.masterKey(row.master_key_id ?? '');
      return unsealCredential(master, row.id, row.applied_seq, row.sealed).text();
    };
    return Object.fromEntries(
      await Promise.all(rows.map(async (row) => [row.application, await open(row)] as const)),
    );
  };

  test(
    keeps('the mapping of a changed account advances, and that of an unchanged account stays', 17),
    async () => {
      const { person } = await mapped();
      const [first, second] = [newPassword(), newPassword()];
      const before = await suite.lockstep.accept({ person, password: first });
      await suite.lockstep.readEnd(before);
      expect(await stored(before)).toEqual({ wiki: first, expenses: first });
      await suite.takeAway('apps');
      const id = await suite.lockstep.accept({ person, password: second });
      await suite.lockstep.readUntil(id, ({ state }) => state === 'waiting');
      await suite.lockstep.command(id, 'cancel');
      const change = await suite.lockstep.readEnd(id);
      expect(await stored(id)).toEqual({ wiki: first, expenses: second });
      expect(change.mappings.map(({ application, state }) => [application, state])).toEqual([
        ['expenses', 'in_sync'],
        ['wiki', 'in_sync'],
      ]);
    },
  );

  test(
    keeps('a source with a password filter gets, verifies and maps the filtered password', 29),
    async () => {
      await suite.lockstep.configure(
        document({
          crm: { passwordFilter: { case: 'upper', allowed: 'A-Z0-9', maxLength: 20 } },
        }),
      );
      const { person, accounts } = await mapped();
      const id = await suite.lockstep.accept({ person, password: 'Tulips, in a field of 2026!' });
      const change = await suite.lockstep.readEnd(id);
      expect(change.accounts.map(({ state, proof }) => [state, proof])).toEqual([
        ['applied', 'login'],
        ['applied', 'login'],
        ['applied', 'hash'],
      ]);
      expect(await holders(accounts, 'Tulips, in a field of 2026!')).toEqual([true, true, false]);
      expect(await holders(accounts, 'TULIPSINAFIELDOF2026')).toEqual([false, false, true]);
      expect(await stored(id)).toEqual({
        wiki: 'Tulips, in a field of 2026!',
        expenses: 'TULIPSINAFIELDOF2026',
      });
    },
  );

  test(
    keeps(
      'a source is not asked when its password filter leaves too little, and the others are changed',
      29,
    ),
    async () => {
      await suite.lockstep.configure(
        document({ crm: { passwordFilter: { allowed: '0-9', minLength: 8 } } }),
      );
      const { person, accounts } = await suite.addPerson('directory', 'crm');
      const word = 'Only a few digits: 2026';
      const change = await suite.lockstep.readEnd(
        await suite.lockstep.accept({ person, password: word }),
      );
      expect(change.accounts.map(({ state, reason }) => [state, reason])).toEqual([
        ['applied', null],
        ['rejected', 'policy_too_short'],
      ]);
      expect(await holders(accounts, word)).toEqual([true, false]);
    },
  );

  test(keeps('a mapping advances when its account follows later', 16), async () => {
    const { person } = await mapped();
    await suite.takeAway('apps');
    const word = newPassword();
    const id = await suite.lockstep.accept({ person, password: word });
    await suite.lockstep.readUntil(id, ({ state }) => state === 'waiting');
    expect(await stored(id)).toEqual({ wiki: null, expenses: word });
    await suite.company.proxies.apps.pass();
    await suite.lockstep.command(id, 'retry', 'apps');
    await suite.lockstep.readEnd(id);
    expect(await stored(id)).toEqual({ wiki: word, expenses: word });
  });

  test(keeps('the mapping of an account that is left in doubt is flagged', 17), async () => {
    const { person } = await mapped();
    await suite.lockstep.readEnd(await suite.lockstep.accept({ person, password: newPassword() }));
    suite.company.proxies.apps.loseReply(2, 'hang');
    const id = await suite.lockstep.accept({ person, password: newPassword() });
    await suite.lockstep.readUntil(id, (change) => statesOf(change).apps === 'waiting');
    suite.company.proxies.apps.silence();
    suite.company.proxies.apps.cut();
    await suite.lockstep.command(id, 'cancel');
    const change = await suite.lockstep.readEnd(id);
    expect(change.mappings).toContainEqual(
      expect.objectContaining({ application: 'wiki', state: 'out_of_sync', reason: 'in_doubt' }),
    );
  });
});
