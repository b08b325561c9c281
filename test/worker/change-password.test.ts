import { Client, Connection } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import type { Temporal } from '../../local/temporal';
import type { ChangeView } from '../../store/changes/read';
import { findIdentity } from '../../store/people/identities';
import { linkMapping } from '../../store/people/mappings';
import { unsealCredential } from '../../store/worker/credentials';
import { type Company, type SystemName, startCompany } from '../support/company';
import { startEngine } from '../support/engine';
import { recordHistories } from '../support/histories';
import { brokenInvariants } from '../support/invariants';
import { type Lockstep, startLockstep } from '../support/lockstep';
import { addSomebody, holders, newPassword } from '../support/people';
import { keeps } from '../support/rules';
import { describeWith } from '../support/servers';

/** One change of a password on real servers, and everything that may become of it. */
describeWith(['slapd', 'postgres', 'temporal'], 'one new password of one person', () => {
  let engine: Temporal;
  let company: Company;
  let lockstep: Lockstep;

  const document = (more: Parameters<Company['sources']>[0] = {}) => ({
    version: 1,
    sources: company.sources(more),
    policies: { everyone: {} },
    groups: {
      all: {
        policy: 'everyone',
        authSource: 'directory',
        sources: ['directory', 'apps', 'warehouse', 'crm'],
      },
    },
    applications: { expenses: { source: 'crm' }, wiki: { source: 'apps' } },
  });

  beforeAll(async () => {
    company = await startCompany();
    engine = await startEngine();
    lockstep = await startLockstep(engine);
    await lockstep.configure(document());
    lockstep.startWorker();
  });

  afterEach(async () => {
    for (const proxy of Object.values(company.proxies)) await proxy.pass();
    await lockstep.forgetTroubles();
    expect(await brokenInvariants(lockstep.database.db)).toEqual({});
  });

  afterAll(async () => {
    await recordHistories(engine, lockstep.accepted);
    await lockstep.stop();
    await engine.stop();
    await company.stop();
  });

  const somebody = (...systems: SystemName[]) => addSomebody(lockstep, company, ...systems);

  const outcomes = ({ accounts }: ChangeView) =>
    Object.fromEntries(accounts.map(({ label, state }) => [label, state]));

  test(
    keeps('reaches every account, each proved by a login, and the old password is refused', 31),
    async () => {
      const { person, accounts } = await somebody('directory', 'apps', 'warehouse', 'crm');
      const [first, second] = [newPassword(), newPassword()];
      const before = await lockstep.readEnd(await lockstep.accept({ person, password: first }));
      expect(before.state).toBe('done');
      const change = await lockstep.readEnd(await lockstep.accept({ person, password: second }));
      expect(change.state).toBe('done');
      expect(change.accounts.map(({ label, role, proof }) => [label, role, proof])).toEqual([
        ['directory', 'auth', 'login'],
        ['apps', 'member', 'login'],
        ['warehouse', 'member', 'login'],
        ['crm', 'member', 'hash'],
      ]);
      expect(await holders(accounts, second)).toEqual([true, true, true, true]);
      expect(await holders(accounts, first)).toEqual([false, false, false, false]);
    },
  );

  test('the auth account goes first: the others are asked only after it holds the new password', async () => {
    const { person, accounts } = await somebody('directory', 'apps', 'crm');
    const change = await lockstep.readEnd(
      await lockstep.accept({ person, password: newPassword() }),
    );
    const [auth, ...members] = change.accounts.map(({ updatedAt }) => updatedAt.getTime());
    expect(members.every((member) => member >= (auth ?? Infinity))).toBe(true);
    expect(accounts).toHaveLength(3);
  });

  test(keeps('the auth account refuses: no other account is tried', 1), async () => {
    const { person, accounts } = await somebody('directory', 'apps', 'warehouse');
    const short = 'short';
    const change = await lockstep.readEnd(await lockstep.accept({ person, password: short }));
    expect(change).toMatchObject({ state: 'refused', reason: 'policy_too_short' });
    expect(outcomes(change)).toEqual({
      directory: 'rejected',
      apps: 'not_attempted',
      warehouse: 'not_attempted',
    });
    expect(change.accounts.map(({ attempts }) => attempts)).toEqual([1, 0, 0]);
    expect(await holders(accounts, short)).toEqual([false, false, false]);
  });

  test(
    keeps('the current password is wrong: nothing is changed, and the person is told so', 15),
    async () => {
      const { person, accounts } = await somebody('directory', 'apps');
      const [old, next] = [newPassword(), newPassword()];
      await lockstep.readEnd(await lockstep.accept({ person, password: old }));
      const refused = await lockstep.readEnd(
        await lockstep.accept({ person, password: next, current: 'not the current one' }),
      );
      expect(refused).toMatchObject({ state: 'refused', reason: 'wrong_current_password' });
      expect(await holders(accounts, old)).toEqual([true, true]);
      const done = await lockstep.readEnd(
        await lockstep.accept({ person, password: next, current: old }),
      );
      expect(done.state).toBe('done');
      expect(await holders(accounts, next)).toEqual([true, true]);
    },
  );

  test(
    keeps(
      'one account is rejected: the others are done, it is never tried again, and says why',
      4,
      8,
    ),
    async () => {
      const { person, accounts } = await somebody('directory', 'apps', 'warehouse');
      const strict = await company.directories.apps.addPolicy({
        pwdCheckQuality: '2',
        pwdMinLength: '80',
      });
      const apps = {
        ref: { name: accounts[1]?.name ?? '', nativeId: null },
        password: '',
        key: '',
      };
      await company.directories.apps.replace(apps, 'pwdPolicySubentry', strict);
      const word = newPassword();
      const change = await lockstep.readEnd(await lockstep.accept({ person, password: word }));
      expect(change.state).toBe('partial');
      expect(outcomes(change)).toEqual({
        directory: 'applied',
        apps: 'rejected',
        warehouse: 'applied',
      });
      expect(change.accounts[1]).toMatchObject({ reason: 'policy_too_short', attempts: 1 });
      expect(await holders(accounts, word)).toEqual([true, false, true]);
    },
  );

  test(
    keeps(
      'a source is away for a while: the others are done at once, and it follows by itself',
      10,
    ),
    async () => {
      const { person, accounts } = await somebody('directory', 'apps', 'crm');
      await company.proxies.apps.refuse();
      company.proxies.apps.cut();
      const word = newPassword();
      const id = await lockstep.accept({ person, password: word });
      const waiting = await lockstep.readUntil(id, ({ state }) => state === 'waiting');
      expect(outcomes(waiting)).toEqual({ directory: 'applied', apps: 'waiting', crm: 'applied' });
      expect(waiting.accounts[1]).toMatchObject({ reason: 'unreachable' });
      await company.proxies.apps.pass();
      const change = await lockstep.readEnd(id);
      expect(change.state).toBe('done');
      expect(change.accounts[1]?.attempts).toBe(2);
      expect(await holders(accounts, word)).toEqual([true, true, true]);
    },
  );

  test(
    keeps('the auth source is away: nobody else is attempted before it has answered', 1),
    async () => {
      const { person, accounts } = await somebody('directory', 'apps');
      await company.proxies.directory.refuse();
      company.proxies.directory.cut();
      const word = newPassword();
      const id = await lockstep.accept({ person, password: word });
      const waiting = await lockstep.readUntil(id, (one) => outcomes(one).directory === 'waiting');
      expect(outcomes(waiting)).toEqual({ directory: 'waiting', apps: 'pending' });
      await company.proxies.directory.pass();
      await lockstep.command(id, 'retry');
      expect((await lockstep.readEnd(id)).state).toBe('done');
      expect(await holders(accounts, word)).toEqual([true, true]);
    },
  );

  test.each(['cut', 'hang'] as const)(
    'the reply to a write is lost (%s), where history refuses a repeat: applied, not a false failure',
    async (after) => {
      const { person, accounts } = await somebody('directory', 'apps');
      // Warm connections, so that the next reply is that of a request and not of a login.
      await lockstep.readEnd(await lockstep.accept({ person, password: newPassword() }));
      const word = newPassword();
      const lost = company.proxies.directory.loseReply(2, after);
      const change = await lockstep.readEnd(await lockstep.accept({ person, password: word }));
      expect(lost.happened()).toBe(true);
      expect(change.state).toBe('done');
      expect(await holders(accounts, word)).toEqual([true, true]);
    },
  );

  test(
    keeps('two changes of one person: the newest is what every account ends with', 12),
    async () => {
      const { person, accounts } = await somebody('directory', 'apps', 'crm');
      await company.proxies.apps.refuse();
      company.proxies.apps.cut();
      const [older, newer] = [newPassword(), newPassword()];
      const first = await lockstep.accept({ person, password: older });
      await lockstep.readUntil(first, ({ state }) => state === 'waiting');
      const second = await lockstep.accept({ person, password: newer });
      const superseded = await lockstep.readEnd(first);
      expect(outcomes(superseded)).toEqual({
        directory: 'applied',
        apps: 'superseded',
        crm: 'applied',
      });
      await company.proxies.apps.pass();
      expect((await lockstep.readEnd(second)).state).toBe('done');
      expect(await holders(accounts, newer)).toEqual([true, true, true]);
    },
  );

  test(
    keeps(
      'many changes of one person at once: whatever the order of their steps, the newest stays',
      12,
    ),
    async () => {
      const { person, accounts } = await somebody('directory', 'apps', 'warehouse', 'crm');
      const words = Array.from({ length: 6 }, newPassword);
      const ids: string[] = [];
      for (const word of words) ids.push(await lockstep.accept({ person, password: word }));
      await Promise.all(ids.map((id) => lockstep.readEnd(id)));
      expect(await holders(accounts, words.at(-1) ?? '')).toEqual([true, true, true, true]);
    },
  );

  test('cancelled while an account waits: what is done stays, the rest is left', async () => {
    const { person } = await somebody('directory', 'apps');
    await company.proxies.apps.refuse();
    company.proxies.apps.cut();
    const id = await lockstep.accept({ person, password: newPassword() });
    await lockstep.readUntil(id, ({ state }) => state === 'waiting');
    await lockstep.command(id, 'cancel');
    const change = await lockstep.readEnd(id);
    expect(change.state).toBe('partial');
    expect(outcomes(change)).toEqual({ directory: 'applied', apps: 'cancelled' });
  });

  test('cancelled while the auth account waits: nothing was written', async () => {
    const { person, accounts } = await somebody('directory', 'apps');
    await company.proxies.directory.refuse();
    company.proxies.directory.cut();
    const word = newPassword();
    const id = await lockstep.accept({ person, password: word });
    await lockstep.readUntil(id, (one) => outcomes(one).directory === 'waiting');
    await lockstep.command(id, 'cancel');
    const change = await lockstep.readEnd(id);
    expect(change.state).toBe('cancelled');
    expect(outcomes(change)).toEqual({ directory: 'cancelled', apps: 'not_attempted' });
    await company.proxies.directory.pass();
    expect(await holders(accounts, word)).toEqual([false, false]);
  });

  describe('which accounts', () => {
    afterEach(() => lockstep.configure(document()));

    test(
      keeps(
        'several in one source: all of them with multipleAccountPasswordSync, else the first',
        5,
      ),
      async () => {
        const { person, accounts } = await somebody('directory', 'apps', 'apps');
        const [one, all] = [newPassword(), newPassword()];
        const first = await lockstep.readEnd(await lockstep.accept({ person, password: one }));
        expect(outcomes(first)).toEqual({
          directory: 'applied',
          apps: 'applied',
          'apps:2': 'not_applicable',
        });
        expect(first.state).toBe('done');
        await lockstep.configure(document({ apps: { multipleAccountPasswordSync: true } }));
        const second = await lockstep.readEnd(await lockstep.accept({ person, password: all }));
        expect(outcomes(second)['apps:2']).toBe('applied');
        expect(await holders(accounts, all)).toEqual([true, true, true]);
      },
    );

    test('nobody linked it: the correlation rules find it, once for ever', async () => {
      const [directory, crm] = [
        await company.addAccount('directory'),
        await company.addAccount('crm'),
      ];
      await lockstep.configure(document({ crm: { correlate: [{ login: 'crmLogin' }] } }));
      const person = await lockstep.addPerson([directory], { crmLogin: crm.name });
      const word = newPassword();
      const change = await lockstep.readEnd(await lockstep.accept({ person, password: word }));
      expect(change.accounts.map(({ source, account }) => [source, account])).toContainEqual([
        'crm',
        crm.name,
      ]);
      expect(await crm.logsIn(word)).toBe(true);
      const identity = await findIdentity(lockstep.database.db, { name: person });
      expect(identity?.accounts.map(({ linkedBy }) => linkedBy)).toContain('correlation');
    });

    test('two accounts match: refused and reported, never guessed; none matches: left out', async () => {
      const accounts = await Promise.all([
        company.addAccount('directory'),
        company.addAccount('apps'),
        company.addAccount('apps'),
      ]);
      const refOf = (index: number) => ({
        ref: { name: accounts[index]?.name ?? '', nativeId: null },
        password: '',
        key: '',
      });
      const mail = `${Math.random().toString(36).slice(2)}@shared.test`;
      for (const index of [1, 2])
        await company.directories.apps.replace(refOf(index), 'mail', mail);
      await lockstep.configure(
        document({
          apps: { correlate: [{ mail: 'mail' }] },
          crm: { correlate: [{ login: 'mail' }] },
        }),
      );
      const person = await lockstep.addPerson(accounts.slice(0, 1), { mail });
      const word = newPassword();
      const change = await lockstep.readEnd(await lockstep.accept({ person, password: word }));
      expect(change.state).toBe('partial');
      expect(change.accounts.map(({ label, state, reason }) => [label, state, reason])).toEqual([
        ['directory', 'applied', null],
        ['apps', 'rejected', 'several_accounts'],
        ['crm', 'not_applicable', 'no_account_found'],
      ]);
      expect(await holders(accounts, word)).toEqual([true, false, false]);
    });

    test('nobody in the auth source: refused, and nobody is asked', async () => {
      const { person, accounts } = await somebody('apps', 'crm');
      const word = newPassword();
      const change = await lockstep.readEnd(await lockstep.accept({ person, password: word }));
      expect(change).toMatchObject({ state: 'refused', reason: 'no_auth_account' });
      expect(outcomes(change)).toEqual({ apps: 'not_attempted', crm: 'not_attempted' });
      expect(await holders(accounts, word)).toEqual([false, false]);
    });

    test(
      keeps(
        'a source that is switched off, and one that is taken away meanwhile, are left out',
        26,
        32,
      ),
      async () => {
        const { person } = await somebody('directory', 'apps', 'crm');
        await lockstep.configure(document({ crm: { enabled: false } }));
        await company.proxies.apps.refuse();
        company.proxies.apps.cut();
        const id = await lockstep.accept({ person, password: newPassword() });
        await lockstep.readUntil(id, ({ state }) => state === 'waiting');
        const { apps: _gone, ...sources } = company.sources();
        await lockstep.configure({ ...document(), sources, groups: {}, applications: {} });
        await lockstep.command(id, 'retry');
        const change = await lockstep.readEnd(id);
        expect(change.accounts.map(({ label, state, reason }) => [label, state, reason])).toEqual([
          ['directory', 'applied', null],
          ['apps', 'not_applicable', 'source_removed'],
          ['crm', 'not_applicable', 'source_disabled'],
        ]);
      },
    );

    test('more than a handful in one source: one activity for all of them, and few events', async () => {
      const accounts = await Promise.all([
        company.addAccount('directory'),
        ...Array.from({ length: 60 }, () => company.addAccount('crm')),
      ]);
      await lockstep.configure(document({ crm: { multipleAccountPasswordSync: true } }));
      const person = await lockstep.addPerson(accounts);
      const word = newPassword();
      const id = await lockstep.accept({ person, password: word });
      expect((await lockstep.readEnd(id)).state).toBe('done');
      expect((await holders(accounts, word)).every((holds) => holds)).toBe(true);
      expect((await describeWorkflow(id)).historyLength).toBeLessThanOrEqual(30);
    });

    test('a source on the queue lane is served by its own task queue', async () => {
      const { person, accounts } = await somebody('directory', 'apps');
      await lockstep.configure(document({ directory: { lane: 'queue' }, apps: { lane: 'queue' } }));
      const word = newPassword();
      const change = await lockstep.readEnd(await lockstep.accept({ person, password: word }));
      expect(change.state).toBe('done');
      expect(await holders(accounts, word)).toEqual([true, true]);
    });
  });

  describe('the engine', () => {
    test('a change that just works on five accounts in two sources costs ten events and three transitions', async () => {
      const accounts = await Promise.all(
        (['directory', 'directory', 'apps', 'apps', 'apps'] as const).map((one) =>
          company.addAccount(one),
        ),
      );
      const several = { multipleAccountPasswordSync: true };
      await lockstep.configure(document({ directory: several, apps: several }));
      const person = await lockstep.addPerson(accounts);
      const id = await lockstep.accept({ person, password: newPassword() });
      expect((await lockstep.readEnd(id)).state).toBe('done');
      const { historyLength, raw } = await describeWorkflow(id);
      expect(historyLength).toBeLessThanOrEqual(10);
      expect(Number(raw.workflowExecutionInfo?.stateTransitionCount)).toBeLessThanOrEqual(3);
      await lockstep.configure(document());
    });

    test('a workflow that somebody terminated does not leave its change open, nor its password sealed', async () => {
      const { person } = await somebody('directory', 'apps');
      await company.proxies.apps.refuse();
      company.proxies.apps.cut();
      const id = await lockstep.accept({ person, password: newPassword() });
      await lockstep.readUntil(id, ({ state }) => state === 'waiting');
      await withClient((client) => client.workflow.getHandle(id).terminate('by an operator'));
      // A worker looks after open changes now and then; here it is time to.
      await lockstep.database.db
        .updateTable('change')
        .set({ attended_until: null })
        .where('id', '=', id)
        .execute();
      const change = await lockstep.readEnd(id);
      expect(outcomes(change)).toEqual({ directory: 'applied', apps: 'cancelled' });
    });

    test('nothing secret or personal is in its histories, search attributes and summaries', async () => {
      const { person, accounts } = await somebody('directory', 'apps', 'warehouse');
      await company.proxies.apps.refuse();
      company.proxies.apps.cut();
      const word = newPassword();
      const id = await lockstep.accept({ person, password: word, current: 'not the current one' });
      await lockstep.readEnd(id);
      const other = await lockstep.accept({ person, password: word });
      await lockstep.readUntil(other, ({ state }) => state === 'waiting');
      const kept = await withClient(async (client) =>
        Promise.all(
          [id, other].map(async (one) => {
            const handle = client.workflow.getHandle(one);
            return JSON.stringify([
              historyToJSON(await handle.fetchHistory()),
              (await handle.describe()).raw,
            ]);
          }),
        ),
      );
      await lockstep.command(other, 'cancel');
      await lockstep.readEnd(other);
      const forbidden = [word, 'not the current one', person, ...accounts.map(({ name }) => name)];
      const read = kept.map(decodedPayloads).join('\n');
      expect(read).toContain('changeAuthAccount');
      for (const text of forbidden) expect(read).not.toContain(text);
    });
  });

  /** The text itself, and whatever is inside its base64: payloads, markers, summaries. */
  const decodedPayloads = (json: string): string =>
    [json, ...json.matchAll(/[A-Za-z0-9+/]{8,}={0,2}/g)]
      .map((found) =>
        typeof found === 'string' ? found : Buffer.from(found[0], 'base64').toString(),
      )
      .join('\n');
  const withClient = async <T>(work: (client: Client) => Promise<T>): Promise<T> => {
    const connection = await Connection.connect({ address: engine.address });
    try {
      return await work(new Client({ connection, namespace: engine.namespace }));
    } finally {
      await connection.close();
    }
  };
  const describeWorkflow = (id: string) =>
    withClient(async (client) => {
      const handle = client.workflow.getHandle(id);
      await handle.result();
      return handle.describe();
    });

  describe('mappings of single sign-on applications', () => {
    async function mapped() {
      const { person, accounts } = await somebody('directory', 'apps', 'crm');
      const { db } = lockstep.database;
      const identity = await findIdentity(db, { name: person });
      if (identity === null) throw new Error('no person');
      for (const [application, source] of [
        ['wiki', 'apps'],
        ['expenses', 'crm'],
      ] as const) {
        const account = identity.accounts.find((one) => one.source === source);
        const link = { identityId: identity.id, application, accountId: account?.id ?? '' };
        await linkMapping(db, { ...link, enabled: true }, 'test');
      }
      return { person, accounts };
    }
    const stored = async (changeId: string) => {
      const rows = await lockstep.database.db
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
        const master = await lockstep.keys.masterKey(row.master_key_id ?? '');
        return unsealCredential(master, row.id, row.applied_seq, row.sealed).text();
      };
      return Object.fromEntries(
        await Promise.all(rows.map(async (row) => [row.application, await open(row)] as const)),
      );
    };

    test(
      keeps('each mapping of a changed account advances, that of an unchanged one stays', 17),
      async () => {
        const { person } = await mapped();
        const [first, second] = [newPassword(), newPassword()];
        const before = await lockstep.accept({ person, password: first });
        await lockstep.readEnd(before);
        expect(await stored(before)).toEqual({ wiki: first, expenses: first });
        await company.proxies.apps.refuse();
        company.proxies.apps.cut();
        const id = await lockstep.accept({ person, password: second });
        await lockstep.readUntil(id, ({ state }) => state === 'waiting');
        await lockstep.command(id, 'cancel');
        const change = await lockstep.readEnd(id);
        expect(await stored(id)).toEqual({ wiki: first, expenses: second });
        expect(change.mappings.map(({ application, state }) => [application, state])).toEqual([
          ['expenses', 'in_sync'],
          ['wiki', 'in_sync'],
        ]);
      },
    );

    test(
      keeps(
        'a password filter: the source gets, proves and maps what it makes of the password',
        29,
      ),
      async () => {
        await lockstep.configure(
          document({
            crm: { passwordFilter: { case: 'upper', allowed: 'A-Z0-9', maxLength: 20 } },
          }),
        );
        const { person, accounts } = await mapped();
        const id = await lockstep.accept({ person, password: 'Tulips, in a field of 2026!' });
        const change = await lockstep.readEnd(id);
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
        await lockstep.configure(document());
      },
    );

    test(
      keeps('a password filter leaves too little: its source is not asked, the others go on', 29),
      async () => {
        await lockstep.configure(
          document({ crm: { passwordFilter: { allowed: '0-9', minLength: 8 } } }),
        );
        const { person, accounts } = await somebody('directory', 'crm');
        const word = 'Only a few digits: 2026';
        const change = await lockstep.readEnd(await lockstep.accept({ person, password: word }));
        expect(change.accounts.map(({ state, reason }) => [state, reason])).toEqual([
          ['applied', null],
          ['rejected', 'policy_too_short'],
        ]);
        expect(await holders(accounts, word)).toEqual([true, false]);
        await lockstep.configure(document());
      },
    );

    test(keeps('a late account takes its mapping along', 16), async () => {
      const { person } = await mapped();
      await company.proxies.apps.refuse();
      company.proxies.apps.cut();
      const word = newPassword();
      const id = await lockstep.accept({ person, password: word });
      await lockstep.readUntil(id, ({ state }) => state === 'waiting');
      expect(await stored(id)).toEqual({ wiki: null, expenses: word });
      await company.proxies.apps.pass();
      await lockstep.command(id, 'retry', 'apps');
      await lockstep.readEnd(id);
      expect(await stored(id)).toEqual({ wiki: word, expenses: word });
    });

    test(keeps('an account that is left in doubt has its mapping flagged', 17), async () => {
      const { person } = await mapped();
      await lockstep.readEnd(await lockstep.accept({ person, password: newPassword() }));
      company.proxies.apps.loseReply(2, 'hang');
      const id = await lockstep.accept({ person, password: newPassword() });
      await lockstep.readUntil(id, (one) => outcomes(one).apps === 'waiting');
      company.proxies.apps.silence();
      company.proxies.apps.cut();
      await lockstep.command(id, 'cancel');
      const change = await lockstep.readEnd(id);
      expect(change.mappings).toContainEqual(
        expect.objectContaining({ application: 'wiki', state: 'out_of_sync', reason: 'in_doubt' }),
      );
    });
  });
});
