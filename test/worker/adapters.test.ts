import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { findIdentity } from '../../store/people/identities';
import { deleteMapping, enableMapping, linkMapping } from '../../store/people/mappings';
import { unsealCredential } from '../../store/worker/credentials';
import type { TestApi } from '../support/api';
import type { Company, CompanyAccount, SystemName } from '../support/company';
import { holders, newPassword } from '../support/people';
import { keeps } from '../support/rules';
import { describeWith } from '../support/servers';
import { workerSuite } from '../support/worker-suite';

const allOn = { windowsToAdapters: true, adaptersToStore: true, adaptersToWindows: true };
const bothWays = {
  syncToAdapter: true,
  syncFromAdapter: true,
  changeWindowsPassword: true,
  verifyOldPassword: false,
};

interface Wanted {
  readonly adapter?: object;
  readonly switches?: object;
  /** Further members of the source `warehouse`. */
  readonly warehouse?: object;
  readonly applications?: object;
}

/** `warehouse` (roles of PostgreSQL) is an adapter, `directory` (OpenLDAP) the directory, `crm` in no group. */
const documentOf = (
  company: Company,
  { adapter = {}, switches = allOn, warehouse = {}, applications = {} }: Wanted = {},
) => ({
  version: 1,
  sources: company.sources({
    directory: { capture: { enabled: true } },
    warehouse: {
      adapter: { enabled: true, applications: ['reports'], ...bothWays, ...adapter },
      ...warehouse,
    },
  }),
  policies: { everyone: {} },
  groups: {
    all: {
      policy: 'everyone',
      authSource: 'directory',
      sources: ['directory', 'apps', 'warehouse'],
      failureMode: 'directory-last',
    },
  },
  applications: { reports: { source: 'warehouse' }, ...applications },
  sso: { switches },
});

/** The sync types of Enterprise SSO, on real servers. */
describeWith(['slapd', 'postgres', 'temporal'], 'an adapter', () => {
  let api: TestApi;
  let relay: string;
  let reader: string;
  const suite = workerSuite((company) => documentOf(company));
  const configure = (wanted: Wanted = {}) =>
    suite.lockstep.configure(documentOf(suite.company, wanted));

  beforeAll(async () => {
    api = await suite.startApi();
    relay = await api.newKey(['capture']);
    reader = await api.newKey(['read']);
  });
  beforeEach(() => configure());

  interface Mapped {
    readonly person: string;
    readonly of: (system: SystemName) => CompanyAccount;
    /** Id of the mapping of an account. */
    readonly mapping: (system: SystemName) => Promise<string>;
  }

  /** Maps the accounts of a person in the source of each application. */
  async function map(person: string, applications: Readonly<Record<string, string>>) {
    const { db } = suite.lockstep.database;
    const identity = await findIdentity(db, { name: person });
    if (identity === null) throw new Error('no person');
    for (const [application, system] of Object.entries(applications))
      for (const account of identity.accounts.filter(({ source }) => source === system)) {
        const link = { identityId: identity.id, application, accountId: account.id };
        await linkMapping(db, { ...link, enabled: true }, 'test');
      }
  }

  /** Adds a person with an account in each system; the mappings are of the accounts in these applications. */
  async function addMapped(
    systems: readonly SystemName[],
    applications: Readonly<Record<string, SystemName>> = { reports: 'warehouse' },
  ): Promise<Mapped> {
    const { person, accounts } = await suite.addPerson(...systems);
    await map(person, applications);
    const of = (system: SystemName) => {
      const found = accounts.find(({ source }) => source === system);
      if (found === undefined) throw new Error(`no account in ${system}`);
      return found;
    };
    return {
      person,
      of,
      mapping: async (system) => {
        const row = await suite.lockstep.database.db
          .selectFrom('mapping')
          .innerJoin('account', 'account.id', 'mapping.account_id')
          .where('account.name', '=', of(system).name)
          .select('mapping.id')
          .executeTakeFirstOrThrow();
        return row.id;
      },
    };
  }

  const capture = (account: CompanyAccount, password: string, more: object = {}) =>
    api.send('POST', '/v1/captures', {
      key: relay,
      body: {
        source: account.source,
        account: account.name,
        password,
        capturedAt: new Date().toISOString(),
        ...more,
      },
    });
  /** Changes the password in its source, and reports it as the adapter does. */
  async function changeThere(account: CompanyAccount, password: string, more: object = {}) {
    await account.changeThere(password);
    return capture(account, password, more);
  }
  async function endOf(reply: Awaited<ReturnType<typeof capture>>) {
    expect(reply).toMatchObject({ status: 202 });
    return suite.lockstep.readEnd(String(reply.body.id));
  }
  const change = async (person: string, password: string) =>
    suite.lockstep.readEnd(await suite.lockstep.accept({ person, password }));
  /** A change as the api reports it. */
  const reported = async (id: string) =>
    (await api.send('GET', `/v1/changes/${id}`, { key: reader })).body;
  const outcomes = ({ accounts }: Awaited<ReturnType<typeof change>>) =>
    accounts.map(({ label, role, state, reason }) => [label, role, state, reason]);

  /** The stored credential of each application of a person, with the state of its mapping. */
  async function stored(person: string) {
    const rows = await suite.lockstep.database.db
      .selectFrom('mapping')
      .innerJoin('identity', 'identity.id', 'mapping.identity_id')
      .where('identity.name', '=', person)
      .selectAll('mapping')
      .execute();
    const open = async (row: (typeof rows)[number]) => {
      if (row.sealed === null) return null;
      const master = await suite.lockstep.keys.masterKey(row.master_key_id ?? '');
      return unsealCredential(master, row.id, row.applied_seq, row.sealed).text();
    };
    return Promise.all(
      rows.map(async (row) => [row.application, await open(row), row.reason ?? row.state]),
    );
  }

  describe('Windows to external', () => {
    test(
      keeps('a change of the directory is written to the account of an adapter and stored', 17),
      async () => {
        const { person, of } = await addMapped(['directory', 'warehouse']);
        const word = newPassword();
        const end = await endOf(await changeThere(of('directory'), word));
        expect(outcomes(end)).toEqual([
          ['warehouse', 'member', 'applied', null],
          ['directory', 'auth', 'applied', 'origin'],
        ]);
        expect(await of('warehouse').logsIn(word)).toBe(true);
        expect(await stored(person)).toEqual([['reports', word, 'in_sync']]);
      },
    );

    test.each<[string, Wanted, string]>([
      ['a disabled adapter', { adapter: { enabled: false } }, 'adapter_disabled'],
      [
        'an adapter without syncToAdapter',
        { adapter: { syncToAdapter: false } },
        'sync_to_adapter_off',
      ],
      ['an adapter whose switch is off', { switches: {} }, 'windows_to_adapters_off'],
      [
        'an adapter whose application is disabled',
        { applications: { reports: { source: 'warehouse', enabled: false } } },
        'application_disabled',
      ],
    ])(keeps('%s gets no change, and the reason is shown', 26), async (_title, wanted, reason) => {
      await configure(wanted);
      const { person, of } = await addMapped(['directory', 'warehouse']);
      const word = newPassword();
      const end = await endOf(await changeThere(of('directory'), word));
      expect(outcomes(end)).toEqual([
        ['warehouse', 'member', 'not_applicable', reason],
        ['directory', 'auth', 'applied', 'origin'],
      ]);
      expect(await reported(end.id)).toMatchObject({
        state: 'done',
        says: `the account in which the password was changed holds it, and no other account was written; 1 left out (${reason.replaceAll('_', ' ')})`,
        accounts: [{ holds: 'earlier' }, { holds: 'new' }],
      });
      expect(await of('warehouse').logsIn(word)).toBe(false);
      expect(await stored(person)).toEqual([['reports', null, 'empty']]);
    });

    test(
      keeps('an account without an enabled mapping gets no change from its adapter', 3),
      async () => {
        const [mapped, unmapped] = [
          await addMapped(['directory', 'warehouse']),
          await addMapped(['directory', 'warehouse'], {}),
        ];
        const { db } = suite.lockstep.database;
        await enableMapping(db, await mapped.mapping('warehouse'), false, 'test');
        for (const [{ of }, reason] of [
          [mapped, 'mapping_disabled'],
          [unmapped, 'not_mapped'],
        ] as const)
          expect(outcomes(await endOf(await changeThere(of('directory'), newPassword())))).toEqual([
            ['warehouse', 'member', 'not_applicable', reason],
            ['directory', 'auth', 'applied', 'origin'],
          ]);
      },
    );

    test(
      keeps('a mapping that is removed while its account waits does not fail the change', 32),
      async () => {
        const { person, of, mapping } = await addMapped(['directory', 'warehouse']);
        await suite.takeAway('warehouse');
        const word = newPassword();
        const { body } = await changeThere(of('directory'), word);
        const id = String(body.id);
        await suite.lockstep.readUntil(id, ({ state }) => state === 'waiting');
        const { db } = suite.lockstep.database;
        const removed = await mapping('warehouse');
        await enableMapping(db, removed, false, 'test');
        expect(await deleteMapping(db, removed, 'test')).toBe('deleted');
        await suite.company.proxies.warehouse.pass();
        await suite.lockstep.command(id, 'retry', 'warehouse');
        expect((await suite.lockstep.readEnd(id)).state).toBe('done');
        expect(await of('warehouse').logsIn(word)).toBe(true);
        expect(await stored(person)).toEqual([]);
      },
    );

    test(
      keeps('two accounts of an adapter are a conflict, so that nothing is written', 6),
      async () => {
        const { person, of } = await addMapped(['directory', 'apps', 'warehouse', 'warehouse']);
        const word = newPassword();
        const end = await change(person, word);
        expect(end).toMatchObject({ state: 'refused', reason: 'mapping_conflict' });
        expect(await holders([of('directory'), of('apps'), of('warehouse')], word)).toEqual([
          false,
          false,
          false,
        ]);
        await configure({ adapter: { allowMappingConflicts: true } });
        const allowed = await change(person, word);
        expect(allowed.state).toBe('done');
        expect(await stored(person)).toEqual([
          ['reports', word, 'in_sync'],
          ['reports', word, 'in_sync'],
        ]);
      },
    );
  });

  test('a source that needs the old password gets the stored one with the new one', async () => {
    const folder = path.dirname(suite.lockstep.keyDir);
    const seen = path.join(folder, 'seen');
    const command = path.join(folder, 'mainframe');
    writeFileSync(command, `#!/bin/sh\ncat >>"${seen}"\necho '{"result":"applied"}'\n`);
    chmodSync(command, 0o755);
    const document = documentOf(suite.company, {
      applications: { racf: { source: 'mainframe' } },
    });
    const adapter = {
      ...{ enabled: true, applications: ['racf'] },
      ...{ syncToAdapter: true, sendOldPassword: true },
    };
    const { all } = document.groups;
    await suite.lockstep.configure({
      ...document,
      sources: {
        ...document.sources,
        mainframe: { kind: 'command', settings: { command, proof: 'none' }, adapter },
      },
      groups: { all: { ...all, sources: [...all.sources, 'mainframe'] } },
    });
    const racf = { source: 'mainframe', name: 'RALICE' };
    const person = await suite.lockstep.addPerson([
      await suite.company.addAccount('directory'),
      racf,
    ]);
    await map(person, { racf: 'mainframe' });
    const [first, second] = [newPassword(), newPassword()];
    for (const word of [first, second]) expect((await change(person, word)).state).toBe('done');
    const requests = readFileSync(seen, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .filter(({ operation }) => operation === 'setPassword')
      .map(({ password, oldPassword }) => [password, oldPassword]);
    expect(requests).toEqual([
      [first, undefined],
      [second, first],
    ]);

    const { db } = suite.lockstep.database;
    const keyOf = db
      .selectFrom('mapping')
      .select('master_key_id')
      .where('application', '=', 'racf');
    const { master_key_id } = await keyOf.executeTakeFirstOrThrow();
    const setKey = (id: string | null) =>
      db
        .updateTable('mapping')
        .set({ master_key_id: id })
        .where('application', '=', 'racf')
        .execute();
    await setKey('key_00000000000000000000000000');
    const id = await suite.lockstep.accept({ person, password: newPassword() });
    await suite.lockstep.readUntil(id, ({ accounts }) =>
      accounts.some(
        ({ reason, state }) => reason === 'key_store_unavailable' && state === 'waiting',
      ),
    );
    await setKey(master_key_id);
    const key = await api.newKey(['operate']);
    await api.send('POST', `/v1/changes/${id}/retry`, { key });
    expect((await suite.lockstep.readEnd(id)).state).toBe('done');
  });

  describe('external to Windows, full', () => {
    test(
      keeps('a password of an adapter is stored and written to the directory last', 19),
      async () => {
        const { person, of } = await addMapped(['directory', 'apps', 'warehouse']);
        const word = newPassword();
        const end = await endOf(await changeThere(of('warehouse'), word));
        expect(outcomes(end)).toEqual([
          ['apps', 'member', 'applied', null],
          ['warehouse', 'member', 'applied', 'origin'],
          ['directory', 'auth', 'applied', null],
        ]);
        expect(await holders([of('directory'), of('apps')], word)).toEqual([true, true]);
        expect(await stored(person)).toEqual([['reports', word, 'in_sync']]);
      },
    );

    test(
      keeps('the directory keeps its password when another external account fails', 4),
      async () => {
        const { person, of } = await addMapped(['directory', 'apps', 'warehouse']);
        await suite.rejectPasswords(of('apps'));
        const word = newPassword();
        const end = await endOf(await changeThere(of('warehouse'), word));
        expect(end.state).toBe('partial');
        expect(outcomes(end)).toEqual([
          ['apps', 'member', 'rejected', 'policy_too_short'],
          ['warehouse', 'member', 'applied', 'origin'],
          ['directory', 'auth', 'not_attempted', 'others_unchanged'],
        ]);
        expect(await of('directory').logsIn(word)).toBe(false);
        expect(await stored(person)).toEqual([['reports', word, 'in_sync']]);
      },
    );

    test('the stored credential follows the adapter also when the directory rejects the password', async () => {
      const { person, of } = await addMapped(['directory', 'warehouse']);
      await suite.rejectPasswords(of('directory'));
      const word = newPassword();
      const end = await endOf(await changeThere(of('warehouse'), word));
      expect(outcomes(end)).toEqual([
        ['warehouse', 'member', 'applied', 'origin'],
        ['directory', 'auth', 'rejected', 'policy_too_short'],
      ]);
      expect(await stored(person)).toEqual([['reports', word, 'in_sync']]);
    });

    test(
      keeps('an account with a disabled mapping, or with none, changes nothing', 7),
      async () => {
        const mapped = await addMapped(['directory', 'warehouse']);
        const { of } = await addMapped(['directory', 'warehouse'], {});
        const id = await mapped.mapping('warehouse');
        await enableMapping(suite.lockstep.database.db, id, false, 'test');
        for (const [account, result] of [
          [mapped.of('warehouse'), 'mapping_disabled'],
          [of('warehouse'), 'unmapped'],
        ] as const)
          expect(await changeThere(account, newPassword())).toMatchObject({
            status: 200,
            body: { result },
          });
      },
    );

    test.each<[string, Wanted]>([
      ['a disabled adapter', { adapter: { enabled: false } }],
      [
        'an adapter without syncFromAdapter',
        {
          adapter: { syncFromAdapter: false },
          warehouse: { capture: { enabled: true, verifyCurrent: false } },
        },
      ],
      ['an adapter whose switches are off', { switches: { windowsToAdapters: true } }],
    ])(keeps('the capture of %s is refused', 19), async (_title, wanted) => {
      await configure(wanted);
      const { of } = await addMapped(['directory', 'warehouse']);
      expect(await changeThere(of('warehouse'), newPassword())).toMatchObject({
        status: 403,
        body: { code: 'sync_not_allowed' },
      });
    });
  });

  describe('external to Windows, partial', () => {
    beforeEach(() => configure({ adapter: { changeWindowsPassword: false } }));

    test(keeps('a password of an adapter only updates the stored credential', 17), async () => {
      const { person, of } = await addMapped(['directory', 'apps', 'warehouse']);
      const word = newPassword();
      const end = await endOf(await changeThere(of('warehouse'), word));
      expect(outcomes(end)).toEqual([['warehouse', 'auth', 'applied', 'origin']]);
      expect(await reported(end.id)).toMatchObject({
        ...{ state: 'done', partial: true, headline: 'stored_only' },
        says: expect.stringMatching(/^no account was written: .* stored credential/),
        accounts: [{ holds: 'new', proved: false }],
        mappings: [{ state: 'in_sync', storedFrom: 'captured' }],
      });
      expect(await holders([of('directory'), of('apps')], word)).toEqual([false, false]);
      expect(await stored(person)).toEqual([['reports', word, 'in_sync']]);
      expect(await capture(of('warehouse'), word)).toMatchObject({
        body: { result: 'duplicate' },
      });
    });

    test(
      keeps('a change that waits for another account goes on after a partial one', 12),
      async () => {
        const { person, of } = await addMapped(['directory', 'apps', 'warehouse']);
        await suite.takeAway('apps');
        const [word, partial] = [newPassword(), newPassword()];
        const id = await suite.lockstep.accept({ person, password: word });
        await suite.lockstep.readUntil(id, ({ accounts }) =>
          accounts.some(({ label, state }) => label === 'warehouse' && state === 'applied'),
        );
        await endOf(await changeThere(of('warehouse'), partial));
        await suite.company.proxies.apps.pass();
        await suite.lockstep.command(id, 'retry', 'apps');
        expect((await suite.lockstep.readEnd(id)).state).toBe('done');
        expect(await holders([of('directory'), of('apps')], word)).toEqual([true, true]);
        expect(await stored(person)).toEqual([['reports', partial, 'in_sync']]);
      },
    );
  });

  describe('the old password of a capture', () => {
    beforeEach(() => configure({ adapter: { verifyOldPassword: true } }));

    test(keeps('a capture without the old password is refused', 15), async () => {
      const { of } = await addMapped(['directory', 'warehouse']);
      expect(await changeThere(of('warehouse'), newPassword())).toMatchObject({
        status: 422,
        body: { code: 'current_password_missing' },
      });
    });

    test(keeps('an old password cannot be compared while none is stored', 15), async () => {
      const { person, of } = await addMapped(['directory', 'warehouse']);
      const more = { currentPassword: 'whatever it was' };
      const word = newPassword();
      const end = await endOf(await changeThere(of('warehouse'), word, more));
      expect(end).toMatchObject({ state: 'refused', reason: 'old_password_not_stored' });
      expect(outcomes(end)).toEqual([
        ['warehouse', 'member', 'not_attempted', 'auth_unchanged'],
        ['directory', 'auth', 'rejected', 'old_password_not_stored'],
      ]);
      expect(await of('directory').logsIn(word)).toBe(false);
      expect(await stored(person)).toEqual([['reports', null, 'capture_refused']]);
    });

    test(
      keeps('an old password that is not the stored one refuses the change before any write', 15),
      async () => {
        const { person, of } = await addMapped(['directory', 'apps', 'warehouse']);
        const [first, second] = [newPassword(), newPassword()];
        await change(person, first);
        const more = { currentPassword: 'not the stored one' };
        const end = await endOf(await changeThere(of('warehouse'), second, more));
        expect(end).toMatchObject({ state: 'refused', reason: 'wrong_old_password' });
        expect(await holders([of('directory'), of('apps')], first)).toEqual([true, true]);
        expect(await stored(person)).toEqual([['reports', first, 'capture_refused']]);
      },
    );

    test(
      keeps('an older password that another application still stores is not the old one', 15),
      async () => {
        const served = { verifyOldPassword: true, applications: ['reports', 'ledger'] };
        await configure({ adapter: served, applications: { ledger: { source: 'warehouse' } } });
        const { person, of } = await addMapped(['directory', 'warehouse'], {
          reports: 'warehouse',
          ledger: 'warehouse',
        });
        const [first, second] = [newPassword(), newPassword()];
        await change(person, first);
        const { db } = suite.lockstep.database;
        const rows = db.selectFrom('mapping').innerJoin('account', 'account.id', 'account_id');
        const { id } = await rows
          .where('account.name', '=', of('warehouse').name)
          .where('application', '=', 'ledger')
          .select('mapping.id')
          .executeTakeFirstOrThrow();
        await enableMapping(db, id, false, 'test');
        await change(person, second);
        await enableMapping(db, id, true, 'test');
        const more = { currentPassword: first };
        const end = await endOf(await changeThere(of('warehouse'), newPassword(), more));
        expect(end).toMatchObject({ state: 'refused', reason: 'wrong_old_password' });
        expect(await of('directory').logsIn(second)).toBe(true);
      },
    );

    test(keeps('the stored old password lets the change through', 16), async () => {
      const { person, of } = await addMapped(['directory', 'warehouse']);
      const [first, second] = [newPassword(), newPassword()];
      await change(person, first);
      const more = { currentPassword: first };
      expect(await endOf(await changeThere(of('warehouse'), second, more))).toMatchObject({
        state: 'done',
      });
      expect(await of('directory').logsIn(second)).toBe(true);
      expect(await stored(person)).toEqual([['reports', second, 'in_sync']]);
    });
  });

  describe('the password filter of an application', () => {
    const word = 'Tulips, in a field of 2026!';
    const written = 'TULIPSINAFIELDOF2026';
    const reports = {
      source: 'warehouse',
      passwordFilter: { case: 'upper', allowed: 'A-Z0-9', maxLength: 20 },
    };
    const ledger = { source: 'warehouse' };
    const filtered = (more: Wanted = {}): Wanted => ({
      warehouse: { passwordFilter: { case: 'lower' } },
      applications: { reports, ledger },
      ...more,
      adapter: { applications: ['reports', 'ledger'], ...more.adapter },
    });

    test(
      keeps('an account gets, and the application stores, what the filter converts', 29),
      async () => {
        await configure(filtered());
        const [one, other] = [
          await addMapped(['directory', 'warehouse']),
          await addMapped(['directory', 'warehouse'], { ledger: 'warehouse' }),
        ];
        const key = await api.newKey(['trigger']);
        for (const { person: identity } of [one, other]) {
          const request = { key, body: { identity, password: word } };
          const end = await endOf(await api.send('POST', '/v1/changes', request));
          expect(end.state).toBe('done');
        }
        expect(await one.of('warehouse').logsIn(written)).toBe(true);
        expect(await one.of('directory').logsIn(word)).toBe(true);
        expect(await stored(one.person)).toEqual([['reports', written, 'in_sync']]);
        expect(await other.of('warehouse').logsIn(word.toLowerCase())).toBe(true);
        expect(await stored(other.person)).toEqual([['ledger', word.toLowerCase(), 'in_sync']]);
        expect(await capture(one.of('warehouse'), written)).toMatchObject({
          body: { result: 'echo' },
        });
      },
    );

    test('the old password of a capture is compared as the filter converts it', async () => {
      await configure(filtered({ adapter: { verifyOldPassword: true } }));
      const { person, of } = await addMapped(['directory', 'warehouse']);
      await change(person, word);
      const next = 'ROSESINAFIELDOF2026';
      const end = await endOf(await changeThere(of('warehouse'), next, { currentPassword: word }));
      expect(end.state).toBe('done');
      expect(await stored(person)).toEqual([['reports', next, 'in_sync']]);
    });

    test('an account whose applications have different filters is not written, and the reason is shown', async () => {
      const both = { reports: 'warehouse', ledger: 'warehouse' } as const;
      await configure(filtered());
      const { person, of } = await addMapped(['directory', 'warehouse'], both);
      await change(person, word);
      const other = { ...ledger, passwordFilter: { case: 'lower' } };
      await configure(filtered({ applications: { reports, ledger: other } }));
      expect(outcomes(await change(person, newPassword()))).toEqual([
        ['warehouse', 'member', 'rejected', 'filter_conflict'],
        ['directory', 'auth', 'not_attempted', 'others_unchanged'],
      ]);
      expect(await of('warehouse').logsIn(written)).toBe(true);
      expect((await stored(person)).sort()).toEqual([
        ['ledger', written, 'in_sync'],
        ['reports', written, 'in_sync'],
      ]);
    });
  });

  test(
    keeps('a capture is refused when its adapter is switched off after it was accepted', 25),
    async () => {
      const { of } = await addMapped(['directory', 'warehouse']);
      await suite.worker.stop();
      const reply = await changeThere(of('warehouse'), newPassword());
      await configure({ switches: {} });
      suite.lockstep.startWorker();
      expect(await endOf(reply)).toMatchObject({ state: 'refused', reason: 'sync_not_allowed' });
    },
  );

  test('an application that follows the directory directly stores its password without a write', async () => {
    await configure({ applications: { ledger: { source: 'crm', directFrom: 'directory' } } });
    const { person, of } = await addMapped(['directory', 'crm'], { ledger: 'crm' });
    const word = newPassword();
    const end = await endOf(await changeThere(of('directory'), word));
    expect(outcomes(end)).toEqual([['directory', 'auth', 'applied', 'origin']]);
    expect(await of('crm').logsIn(word)).toBe(false);
    expect(await stored(person)).toEqual([['ledger', word, 'in_sync']]);
  });
});
