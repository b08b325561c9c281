import { mkdirSync, mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { findIdentity } from '../../store/people/identities';
import { linkMapping } from '../../store/people/mappings';
import { readJob, requestJob } from '../../store/sources/jobs';
import { pauseSource, reopenSource } from '../../store/sources/state';
import { openEpochFolder } from '../../store/worker/keys/epoch-folder';
import type { TestWorker } from '../support/lockstep';
import { newPassword } from '../support/people';
import { describeWith } from '../support/servers';
import { until } from '../support/until';
import { companyDocument, statesOf, workerSuite } from '../support/worker-suite';

/** Isolated sources, which only a worker asks that is bound to them. */
describeWith(['slapd', 'postgres', 'temporal'], 'an isolated source', () => {
  const suite = workerSuite();
  const PATIENCE_MS = 120_000;

  const isolate = (...names: ('apps' | 'directory')[]) =>
    suite.lockstep.configure({
      ...companyDocument(
        suite.company,
        Object.fromEntries(names.map((name) => [name, { isolated: true }])),
      ),
      applications: { wiki: { source: 'apps' } },
    });
  /** The same, with a group that writes the directory last. */
  const directoryLast = () =>
    suite.lockstep.configure({
      ...companyDocument(suite.company, { directory: { isolated: true } }),
      groups: {
        all: {
          ...{ policy: 'everyone', authSource: 'directory', sources: ['directory', 'apps'] },
          failureMode: 'directory-last',
        },
      },
      applications: { wiki: { source: 'apps' } },
    });
  /** A person with an account in the directory and in apps, whose account in apps is mapped. */
  async function mapped() {
    const { db } = suite.lockstep.database;
    const { person } = await suite.addPerson('directory', 'apps');
    const identity = await findIdentity(db, { name: person });
    const account = identity?.accounts.find(({ source }) => source === 'apps');
    const link = { identityId: identity?.id ?? '', application: 'wiki' };
    await linkMapping(db, { ...link, accountId: account?.id ?? '', enabled: true }, 'test');
    return person;
  }
  async function withBound(work: (bound: TestWorker) => Promise<void>, ...sources: string[]) {
    const bound = suite.lockstep.startBoundWorker(...sources);
    await work(bound);
    await bound.stop();
  }
  async function changed(...systems: Parameters<typeof suite.addPerson>) {
    const { person, accounts } = await suite.addPerson(...systems);
    const password = newPassword();
    return { id: await suite.lockstep.accept({ person, password }), password, person, accounts };
  }
  async function expectDone({ id, password, accounts }: Awaited<ReturnType<typeof changed>>) {
    expect((await suite.lockstep.readEnd(id)).state).toBe('done');
    for (const account of accounts) expect(await account.logsIn(password)).toBe(true);
  }

  test(
    'only a bound worker asks an isolated source, and until one runs the accounts of other sources are changed',
    async () => {
      await isolate('apps');
      const ordinary = suite.lockstep.startWorker();
      await suite.worker.stop();
      const change = await changed('directory', 'apps', 'crm');
      const { accounts } = await suite.lockstep.readUntil(change.id, (now) => {
        const { directory, crm } = statesOf(now);
        return directory === 'applied' && crm === 'applied';
      });
      expect(accounts.find(({ source }) => source === 'apps')).toMatchObject({
        state: 'pending',
        attempts: 0,
      });
      await withBound(async ({ asked }) => {
        await expectDone(change);
        expect([...asked]).toEqual(['apps']);
      }, 'apps');
      expect([...ordinary.asked].sort()).toEqual(['crm', 'directory']);
    },
    PATIENCE_MS,
  );

  test(
    'an isolated auth source is changed by its bound worker before every other source',
    async () => {
      await isolate('directory');
      const change = await changed('directory', 'apps');
      await suite.lockstep.readUntil(change.id, ({ state }) => state !== 'accepted');
      expect(statesOf(await suite.lockstep.read(change.id))).toMatchObject({ apps: 'pending' });
      await withBound(() => expectDone(change), 'directory');
    },
    PATIENCE_MS,
  );

  test(
    'the credential of an application in an isolated source is sealed by a worker that has the master keys',
    async () => {
      await isolate('apps');
      const person = await mapped();
      await withBound(async () => {
        const id = await suite.lockstep.accept({ person, password: newPassword() });
        const { mappings } = await suite.lockstep.readEnd(id);
        expect(mappings).toMatchObject([{ application: 'wiki', state: 'in_sync' }]);
      }, 'apps');
    },
    PATIENCE_MS,
  );

  test(
    'while an isolated directory waits to be changed last, the credentials of the other accounts are settled and not flagged',
    async () => {
      await directoryLast();
      const { db } = suite.lockstep.database;
      const person = await mapped();
      await pauseSource(db, 'apps', 'source_paused', 'test');
      const id = await suite.lockstep.accept({ person, password: newPassword() });
      await withBound(async () => {
        await suite.lockstep.readUntil(id, ({ accounts }) =>
          accounts.some(({ source, state }) => source === 'apps' && state === 'waiting'),
        );
      }, 'directory');
      await reopenSource(db, 'apps', 'paused', 'test');
      const stateOf = async () => (await suite.lockstep.read(id)).mappings[0]?.state;
      await until(async () => (await stateOf()) === 'in_sync');
      expect(statesOf(await suite.lockstep.read(id))).toMatchObject({
        ...{ apps: 'applied', directory: 'waiting' },
      });
      await withBound(async () => {
        expect((await suite.lockstep.readEnd(id)).state).toBe('done');
      }, 'directory');
      const records = await db
        .selectFrom('audit')
        .select('action')
        .where('change_id', '=', id)
        .where('action', 'like', 'mapping.%')
        .execute();
      expect(records).toEqual([{ action: 'mapping.advanced' }]);
    },
    PATIENCE_MS,
  );

  test(
    'a credential in an isolated source is stored by administrators only, by a worker that has the master keys',
    async () => {
      await isolate('apps');
      const api = await suite.startApi();
      const person = await mapped();
      const set = async (key: string) => {
        const body = { identity: person, application: 'wiki', password: newPassword() };
        return api.send('POST', '/v1/mappings/set-credentials', { key, body });
      };
      await withBound(async ({ asked }) => {
        expect(await set(await api.newKey(['change-own'], ['all']))).toMatchObject({ status: 403 });
        expect((await set(await api.newKey(['configure']))).body).toMatchObject({ proof: 'none' });
        expect([...asked]).toEqual([]);
      }, 'apps');
    },
    PATIENCE_MS,
  );

  test(
    'a change that waits for a source goes on in the bound worker when the source is isolated in the meantime',
    async () => {
      await isolate();
      const { db } = suite.lockstep.database;
      await pauseSource(db, 'apps', 'source_paused', 'test');
      const change = await changed('directory', 'apps');
      await suite.lockstep.readUntil(change.id, ({ state }) => state === 'waiting');
      await isolate('apps');
      await withBound(async ({ asked }) => {
        await reopenSource(db, 'apps', 'paused', 'test');
        await expectDone(change);
        expect([...asked]).toEqual(['apps']);
      }, 'apps');
    },
    PATIENCE_MS,
  );

  test(
    'a bound worker does the jobs of its sources and no others',
    async () => {
      await isolate('apps');
      const { db } = suite.lockstep.database;
      const check = (source: string) =>
        requestJob(db, { kind: 'check', source, parameters: {}, requestedBy: 'test' });
      const [apps, crm] = [await check('apps'), await check('crm')];
      const stateOf = async (id: string) => (await readJob(db, id))?.state;
      await until(async () => (await stateOf(crm)) === 'done');
      expect(await stateOf(apps)).toBe('open');
      await withBound(async ({ asked }) => {
        await until(async () => (await stateOf(apps)) === 'done');
        expect([...asked]).toEqual(['apps']);
      }, 'apps');
    },
    PATIENCE_MS,
  );
});

test('a bound worker does not start while it sees a key other than those of epochs', () => {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'lockstep-bound-'));
  expect(() => openEpochFolder(dir)).toThrow(/epochs does not exist/);
  mkdirSync(path.join(dir, 'epochs'), { mode: 0o700 });
  openEpochFolder(dir);
  mkdirSync(path.join(dir, 'master'), { mode: 0o700 });
  expect(() => openEpochFolder(dir)).toThrow(/master is visible/);
});
