import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { findIdentity } from '../../store/people/identities';
import { deleteMapping, enableMapping, linkMapping } from '../../store/people/mappings';
import { unsealCredential } from '../../store/worker/credentials';
import { lockstep } from '../cli/run-cli';
import type { TestApi } from '../support/api';
import type { CompanyAccount } from '../support/company';
import type { TestWorker } from '../support/lockstep';
import { newPassword as randomPassword, uniqueName } from '../support/people';
import { keeps } from '../support/rules';
import { describeWith } from '../support/servers';
import {
  covered,
  type External,
  externals,
  type SsoCompany,
  startSsoCompany,
} from '../support/sso/company';
import { workerSuite } from '../support/worker-suite';

/** Samba requires three kinds of characters. */
const newPassword = () => `${randomPassword()} 7`;

const fullSync = { syncToAdapter: true, syncFromAdapter: true, changeWindowsPassword: true };
const checked = { ...fullSync, verifyOldPassword: true };
const unchecked = { ...fullSync, verifyOldPassword: false };
const partialSync = { ...unchecked, changeWindowsPassword: false };
const allOn = { windowsToAdapters: true, adaptersToStore: true, adaptersToWindows: true };

/** The sync types of Enterprise SSO between a Samba domain and external systems, with the faults of each side. */
describeWith(
  ['samba', 'mariadb', 'slapd', 'postgres', 'temporal'],
  'synchronization with a Samba domain',
  () => {
    const suite = workerSuite();
    let api: TestApi;
    let sso: SsoCompany;
    let relay: string;
    /** The worker that runs, after a test has replaced that of the suite. */
    let worker: TestWorker | null = null;

    beforeAll(async () => {
      api = await suite.startApi();
      sso = await startSsoCompany(suite.company, api);
      relay = await api.newKey(['capture']);
      await configure();
      await sso.giveBack('loop');
    });
    afterEach(async () => {
      for (const system of ['domain', ...covered] as const) await sso.giveBack(system);
    });
    afterAll(() => sso.stop());

    /** Each external system is an adapter that serves the application of the same name, with the suffix `-app`. */
    const configure = (adapter: object = unchecked) =>
      suite.lockstep.configure({
        version: 1,
        sources: {
          domain: { ...sso.source('domain'), capture: { enabled: true } },
          ...Object.fromEntries(
            externals.map((name) => [
              name,
              {
                ...sso.source(name),
                adapter: { enabled: true, applications: [`${name}-app`], ...adapter },
              },
            ]),
          ),
        },
        policies: { everyone: {} },
        groups: {
          all: {
            policy: 'everyone',
            authSource: 'domain',
            sources: ['domain', ...externals],
            failureMode: 'directory-last',
          },
        },
        applications: applications(),
        sso: { switches: allOn },
      });
    const applications = (more: object = {}) =>
      Object.fromEntries(externals.map((name) => [`${name}-app`, { source: name, ...more }]));
    /** The system is in no group, and its application follows the domain directly. */
    const configureDirect = (name: External) =>
      suite.lockstep.configure({
        version: 1,
        sources: {
          domain: { ...sso.source('domain'), capture: { enabled: true } },
          [name]: sso.source(name),
        },
        policies: { everyone: {} },
        groups: { all: { policy: 'everyone', authSource: 'domain', sources: ['domain'] } },
        applications: { [`${name}-app`]: { source: name, directFrom: 'domain' } },
      });

    interface Person {
      readonly person: string;
      readonly domain: CompanyAccount;
      readonly external: CompanyAccount;
      readonly others: readonly CompanyAccount[];
      readonly mappingId: string;
    }

    /** Adds a person with an account in the domain and in these systems, each with an enabled mapping. */
    async function newPerson(system: External, ...more: readonly External[]): Promise<Person> {
      const [domain, external, ...others] = await Promise.all([
        sso.addAccount('domain'),
        ...[system, ...more].map((name) => sso.addAccount(name)),
      ]);
      if (domain === undefined || external === undefined) throw new Error('no accounts');
      const person = await suite.lockstep.addPerson([domain, external, ...others]);
      const { db } = suite.lockstep.database;
      const identity = await findIdentity(db, { name: person });
      for (const { id: accountId, source } of identity?.accounts ?? []) {
        if (source === 'domain') continue;
        const link = { identityId: identity?.id ?? '', application: `${source}-app`, accountId };
        await linkMapping(db, { ...link, enabled: true }, 'test');
      }
      const { id } = await db
        .selectFrom('mapping')
        .innerJoin('account', 'account.id', 'mapping.account_id')
        .where('account.name', '=', external.name)
        .select('mapping.id')
        .executeTakeFirstOrThrow();
      return { person, domain, external, others, mappingId: id };
    }
    const stopWorker = () => (worker ?? suite.worker).stop();
    function startWorker(): void {
      worker = suite.lockstep.startWorker();
    }
    const enable = (mappingId: string, enabled: boolean) =>
      enableMapping(suite.lockstep.database.db, mappingId, enabled, 'test');
    async function removeMapping(mappingId: string): Promise<void> {
      await enable(mappingId, false);
      expect(await deleteMapping(suite.lockstep.database.db, mappingId, 'test')).toBe('deleted');
    }

    /** Reports a password as the system does: the adapter that pulls sends it, for the others a relay does. */
    function report({ source, name: account }: CompanyAccount, password: string, old?: string) {
      if (source === 'loop')
        return sso.loop.adapter.call('send', { account, password, oldPassword: old });
      const capturedAt = new Date().toISOString();
      const body = { source, account, password, capturedAt, currentPassword: old };
      return api.send('POST', '/v1/captures', { key: relay, body });
    }
    async function changeThere(account: CompanyAccount, password: string, old?: string) {
      await account.changeThere(password);
      return report(account, password, old);
    }
    /** Changes the password in its system, and returns the id of the change that follows. */
    async function begin(account: CompanyAccount, password: string, old?: string) {
      const reply = await changeThere(account, password, old);
      expect(reply).toMatchObject({ status: 202 });
      return String(reply.body.id);
    }
    const complete = async (...change: Parameters<typeof begin>) =>
      suite.lockstep.readEnd(await begin(...change));
    const waits = (id: string, label: string) =>
      suite.lockstep.readUntil(id, ({ accounts }) =>
        accounts.some(
          ({ label: of, state, reason }) =>
            of === label && state === 'waiting' && reason !== 'others_first',
        ),
      );
    const outcomes = ({ accounts }: Awaited<ReturnType<typeof suite.lockstep.readEnd>>) =>
      Object.fromEntries(
        accounts.map(({ label, state, reason }) => [label, [state, reason].join(' ').trim()]),
      );
    /** The stored credential of a mapping with the state of the mapping; null without a mapping. */
    async function stored({ mappingId }: Person): Promise<[string | null, string] | null> {
      const row = await suite.lockstep.database.db
        .selectFrom('mapping')
        .selectAll()
        .where('id', '=', mappingId)
        .executeTakeFirst();
      if (row === undefined) return null;
      const state = row.reason ?? row.state;
      if (row.sealed === null) return [null, state];
      const master = await suite.lockstep.keys.masterKey(row.master_key_id ?? '');
      return [unsealCredential(master, row.id, row.applied_seq, row.sealed).text(), state];
    }
    /** A person whose accounts and stored credential hold the returned password. */
    async function newPersonWithPassword(...systems: readonly [External, ...External[]]) {
      const one = await newPerson(...systems);
      const password = newPassword();
      const end = await suite.lockstep.readEnd(
        await suite.lockstep.accept({ person: one.person, password }),
      );
      expect(end.state).toBe('done');
      expect(await stored(one)).toEqual([password, 'in_sync']);
      return { one, before: password };
    }

    describe.each(covered)('Windows to external: %s', (system) => {
      beforeEach(() => configure());

      test('a password of the domain is written to the external account, then stored', async () => {
        const one = await newPerson(system);
        const word = newPassword();
        expect(outcomes(await complete(one.domain, word))).toEqual({
          [system]: 'applied',
          domain: 'applied origin',
        });
        expect(await one.external.logsIn(word)).toBe(true);
        expect(await stored(one)).toEqual([word, 'in_sync']);
      });

      test('the stored credential stays when the external system rejects the account', async () => {
        const { one, before } = await newPersonWithPassword(system);
        await sso.removeAccount(one.external);
        expect(outcomes(await complete(one.domain, newPassword()))).toMatchObject({
          [system]: 'rejected no_account',
        });
        expect(await stored(one)).toEqual([before, 'in_sync']);
      });

      test('the stored credential waits for an external system that is unreachable', async () => {
        const { one, before } = await newPersonWithPassword(system);
        await sso.takeAway(system);
        const word = newPassword();
        const id = await begin(one.domain, word);
        await waits(id, system);
        expect(await stored(one)).toEqual([before, 'in_sync']);
        await sso.giveBack(system);
        await suite.lockstep.command(id, 'retry');
        expect((await suite.lockstep.readEnd(id)).state).toBe('done');
        expect(await one.external.logsIn(word)).toBe(true);
        expect(await stored(one)).toEqual([word, 'in_sync']);
      });

      test('the stored credential waits for an external system that answers nothing', async () => {
        const { one, before } = await newPersonWithPassword(system);
        sso.silence(system);
        const word = newPassword();
        const id = await begin(one.domain, word);
        await waits(id, system);
        expect((await stored(one))?.[0]).toBe(before);
        await sso.giveBack(system);
        await suite.lockstep.command(id, 'retry');
        expect((await suite.lockstep.readEnd(id)).state).toBe('done');
        expect(await one.external.logsIn(word)).toBe(true);
        expect(await stored(one)).toEqual([word, 'in_sync']);
      });

      test('an account with a disabled mapping is left alone', async () => {
        const one = await newPerson(system);
        await enable(one.mappingId, false);
        const word = newPassword();
        expect(outcomes(await complete(one.domain, word))).toEqual({
          [system]: 'not_applicable mapping_disabled',
          domain: 'applied origin',
        });
        expect(await one.external.logsIn(word)).toBe(false);
        expect((await stored(one))?.[0]).toBeNull();
      });

      test('a mapping that is removed while its account waits stores nothing and fails nothing', async () => {
        const one = await newPerson(system);
        await sso.takeAway(system);
        const id = await begin(one.domain, newPassword());
        await waits(id, system);
        await removeMapping(one.mappingId);
        await sso.giveBack(system);
        await suite.lockstep.command(id, 'retry');
        expect((await suite.lockstep.readEnd(id)).state).toBe('done');
        expect(await stored(one)).toBeNull();
      });
    });

    describe.each(covered)('external to Windows, full: %s', (system) => {
      const other: External = system === 'apps' ? 'warehouse' : 'apps';
      beforeEach(() => configure());

      test('a password of the external account is stored and written to the domain', async () => {
        const one = await newPerson(system);
        const word = newPassword();
        expect(outcomes(await complete(one.external, word))).toEqual({
          [system]: 'applied origin',
          domain: 'applied',
        });
        expect(await one.domain.logsIn(word)).toBe(true);
        expect(await stored(one)).toEqual([word, 'in_sync']);
      });

      test('the domain keeps its password when another external account fails', async () => {
        const one = await newPerson(system, other);
        for (const account of one.others) await sso.removeAccount(account);
        const word = newPassword();
        expect(outcomes(await complete(one.external, word))).toEqual({
          [system]: 'applied origin',
          [other]: 'rejected no_account',
          domain: 'not_attempted others_unchanged',
        });
        expect(await one.domain.logsIn(word)).toBe(false);
        expect(await stored(one)).toEqual([word, 'in_sync']);
      });

      test('the stored credential follows the external account when the domain rejects the password', async () => {
        const one = await newPerson(system);
        const word = 'onlysmallletters'.repeat(2);
        expect(outcomes(await complete(one.external, word))).toEqual({
          [system]: 'applied origin',
          domain: 'rejected policy_quality',
        });
        expect(await stored(one)).toEqual([word, 'in_sync']);
      });

      test(
        keeps('a stored credential does not wait for a domain that is unreachable', 17),
        async () => {
          const { one } = await newPersonWithPassword(system);
          await sso.takeAway('domain');
          const word = newPassword();
          const id = await begin(one.external, word);
          await waits(id, 'domain');
          expect(await stored(one)).toEqual([word, 'in_sync']);
          await sso.giveBack('domain');
          await suite.lockstep.command(id, 'retry');
          expect((await suite.lockstep.readEnd(id)).state).toBe('done');
          expect(await one.domain.logsIn(word)).toBe(true);
        },
      );

      test('a capture of an account with a disabled mapping changes nothing', async () => {
        const { one, before } = await newPersonWithPassword(system);
        await enable(one.mappingId, false);
        expect(await changeThere(one.external, newPassword())).toMatchObject({
          status: 200,
          body: { result: 'mapping_disabled' },
        });
        expect(await one.domain.logsIn(before)).toBe(true);
      });

      test.each(['disabled', 'removed'] as const)(
        keeps('a capture changes nothing when its mapping is %s before it is carried out', 25),
        async (how) => {
          const { one, before } = await newPersonWithPassword(system);
          await stopWorker();
          const id = await begin(one.external, newPassword());
          await (how === 'disabled' ? enable(one.mappingId, false) : removeMapping(one.mappingId));
          startWorker();
          expect(await suite.lockstep.readEnd(id)).toMatchObject({
            state: 'refused',
            reason: 'mapping_not_in_use',
          });
          expect(await one.domain.logsIn(before)).toBe(true);
        },
      );

      test('a mapping that is removed while the domain is unreachable stores nothing and fails nothing', async () => {
        const { one } = await newPersonWithPassword(system);
        await sso.takeAway('domain');
        const word = newPassword();
        const id = await begin(one.external, word);
        await waits(id, 'domain');
        await removeMapping(one.mappingId);
        await sso.giveBack('domain');
        await suite.lockstep.command(id, 'retry');
        expect((await suite.lockstep.readEnd(id)).state).toBe('done');
        expect(await one.domain.logsIn(word)).toBe(true);
        expect(await stored(one)).toBeNull();
      });
    });

    describe.each(covered)('the old password of a capture in %s', (system) => {
      beforeEach(() => configure(checked));

      test('a capture without the old password is refused', async () => {
        const { one, before } = await newPersonWithPassword(system);
        expect(await changeThere(one.external, newPassword())).toMatchObject({
          status: 422,
          body: { code: 'current_password_missing' },
        });
        expect(await one.domain.logsIn(before)).toBe(true);
      });

      test('a change is refused while no old password is stored', async () => {
        const one = await newPerson(system);
        const end = await complete(one.external, newPassword(), 'any');
        expect(end).toMatchObject({ state: 'refused', reason: 'old_password_not_stored' });
      });

      test('a change is refused when the old password is the one before the stored one, or a wrong one', async () => {
        const { one, before } = await newPersonWithPassword(system);
        const word = newPassword();
        expect((await complete(one.external, word, before)).state).toBe('done');
        for (const wrong of [before, newPassword()])
          expect(await complete(one.external, newPassword(), wrong)).toMatchObject({
            state: 'refused',
            reason: 'wrong_old_password',
          });
        expect(await one.domain.logsIn(word)).toBe(true);
        expect(await stored(one)).toEqual([word, 'capture_refused']);
      });
    });

    describe.each(covered)('external to Windows, partial: %s', (system) => {
      beforeEach(() => configure(partialSync));

      test('a password of the external account is stored, also while the domain is unreachable', async () => {
        const { one, before } = await newPersonWithPassword(system);
        await sso.takeAway('domain');
        const word = newPassword();
        const end = await complete(one.external, word);
        expect([end.state, outcomes(end)]).toEqual(['done', { [system]: 'applied origin' }]);
        expect(await stored(one)).toEqual([word, 'in_sync']);
        await sso.giveBack('domain');
        expect(await one.domain.logsIn(before)).toBe(true);
      });

      test('a capture stores nothing when its mapping is disabled before a worker carries it out', async () => {
        const { one, before } = await newPersonWithPassword(system);
        await stopWorker();
        const id = await begin(one.external, newPassword());
        await enable(one.mappingId, false);
        startWorker();
        expect(await suite.lockstep.readEnd(id)).toMatchObject({ reason: 'mapping_not_in_use' });
        expect(await stored(one)).toEqual([before, 'capture_refused']);
      });

      test('a wrong old password stores nothing', async () => {
        await configure({ ...partialSync, verifyOldPassword: true });
        const { one, before } = await newPersonWithPassword(system);
        expect(await complete(one.external, newPassword(), newPassword())).toMatchObject({
          state: 'refused',
          reason: 'wrong_old_password',
        });
        expect(await stored(one)).toEqual([before, 'capture_refused']);
      });
    });

    describe.each(covered)('direct: %s', (system) => {
      beforeEach(() => configureDirect(system));

      test('a password of the domain is stored without a write to the external account', async () => {
        const one = await newPerson(system);
        const word = newPassword();
        expect(outcomes(await complete(one.domain, word))).toEqual({ domain: 'applied origin' });
        expect(await one.external.logsIn(word)).toBe(false);
        expect(await stored(one)).toEqual([word, 'in_sync']);
      });

      test('the stored credential stays when the domain rejects the password', async () => {
        const one = await newPerson(system);
        const password = 'onlysmallletters'.repeat(2);
        const id = await suite.lockstep.accept({ person: one.person, password });
        expect((await suite.lockstep.readEnd(id)).state).toBe('refused');
        expect(await stored(one)).toEqual([null, 'empty']);
      });

      test('the stored credential waits for a domain that is unreachable', async () => {
        const one = await newPerson(system);
        await sso.takeAway('domain');
        const password = newPassword();
        const id = await suite.lockstep.accept({ person: one.person, password });
        await waits(id, 'domain');
        expect(await stored(one)).toEqual([null, 'empty']);
        await sso.giveBack('domain');
        await suite.lockstep.command(id, 'retry');
        expect((await suite.lockstep.readEnd(id)).state).toBe('done');
        expect(await stored(one)).toEqual([password, 'in_sync']);
      });

      test('a disabled mapping is reported as out of sync', async () => {
        const one = await newPerson(system);
        await enable(one.mappingId, false);
        await complete(one.domain, newPassword());
        expect(await stored(one)).toEqual([null, 'mapping_disabled']);
      });

      test('a mapping that is removed while the domain is unreachable fails nothing', async () => {
        const one = await newPerson(system);
        await sso.takeAway('domain');
        const id = await suite.lockstep.accept({ person: one.person, password: newPassword() });
        await waits(id, 'domain');
        await removeMapping(one.mappingId);
        await sso.giveBack('domain');
        await suite.lockstep.command(id, 'retry');
        expect((await suite.lockstep.readEnd(id)).state).toBe('done');
        expect(await stored(one)).toBeNull();
      });
    });

    /** Lockstep gives up after some seconds, so only check:sso waits for it. */
    const pulling = covered.filter((system) => system === 'loop');
    for (const system of pulling)
      describe('an adapter that acknowledges nothing', () => {
        beforeEach(() => configure());

        test('a password of the domain leaves its account and credential in doubt', async () => {
          const { one, before } = await newPersonWithPassword(system);
          sso.silence(system);
          expect(outcomes(await complete(one.domain, newPassword()))).toEqual({
            loop: 'rejected not_acknowledged',
            domain: 'applied origin',
          });
          expect(await stored(one)).toEqual([before, 'in_doubt']);
        });

        test('a password of another adapter is stored, and the domain keeps its own', async () => {
          const { one, before } = await newPersonWithPassword('table', system);
          sso.silence(system);
          const word = newPassword();
          expect(outcomes(await complete(one.external, word))).toEqual({
            table: 'applied origin',
            loop: 'rejected not_acknowledged',
            domain: 'not_attempted others_unchanged',
          });
          expect(await one.domain.logsIn(before)).toBe(true);
          expect(await stored(one)).toEqual([word, 'in_sync']);
        });
      });

    test('after a reset an identical password counts again within ten minutes', async () => {
      await configure();
      const system: External = 'table';
      const one = await newPerson(system);
      const word = newPassword();
      expect((await complete(one.external, word)).state).toBe('done');
      expect(await report(one.external, word)).toMatchObject({ body: { result: 'duplicate' } });
      expect(await report(one.domain, word)).toMatchObject({ body: { result: 'echo' } });
      await one.domain.changeThere(`${uniqueName()} is another One`);
      const keyFile = path.join(api.dir, 'key-of-the-operator');
      writeFileSync(keyFile, await api.newKey(['read', 'operate']));
      const env = { LOCKSTEP_URL: api.url, LOCKSTEP_API_KEY_FILE: keyFile };
      const reset = await lockstep(['adapters', 'reset', system, '--yes'], { env });
      expect([reset.code, reset.stderr]).toEqual([0, '']);
      const end = await complete(one.external, word);
      expect(outcomes(end)).toEqual({ [system]: 'applied origin', domain: 'applied' });
      expect(await one.domain.logsIn(word)).toBe(true);
      expect(await stored(one)).toEqual([word, 'in_sync']);
    });
  },
);
