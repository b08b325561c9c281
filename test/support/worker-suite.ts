import type { Temporal } from '../../local/temporal';
import type { OutcomeState } from '../../model/change/outcome';
import type { ChangeView } from '../../store/changes/read';
import type { Database } from '../../store/database';
import type { MasterKeyStore } from '../../store/worker/keys/key-store';
import { startTestApi, type TestApi } from './api';
import { type Company, type CompanyAccount, type SystemName, startCompany } from './company';
import { startEngine } from './engine';
import { recordHistories } from './histories';
import { brokenInvariants } from './invariants';
import { type Lockstep, startLockstep, type TestWorker } from './lockstep';
import { addSomebody } from './people';

/** The systems of a test company, an engine, and Lockstep with one worker: all that a suite of worker tests shares. */
export interface WorkerSuite {
  readonly engine: Temporal;
  readonly company: Company;
  readonly lockstep: Lockstep;
  /** The worker that the suite has started. */
  readonly worker: TestWorker;
  /** Adds a person with one new account in each of these systems, the auth account first. */
  addPerson(...systems: SystemName[]): ReturnType<typeof addSomebody>;
  /** Makes a system unreachable until its proxy passes again, which it does after each test. */
  takeAway(system: SystemName): Promise<void>;
  /** Puts a directory account under a policy that none of our passwords satisfies. */
  rejectPasswords(account: CompanyAccount | undefined): Promise<void>;
  /** The stored, salted password of an account in `apps`: each write makes another one. */
  storedInApps(account: CompanyAccount | undefined): Promise<string>;
  /** Starts the api as a process on the database of the suite. It is stopped with the suite. */
  startApi(env?: Readonly<Record<string, string>>): Promise<TestApi>;
}

interface Started {
  readonly engine: Temporal;
  readonly company: Company;
  readonly lockstep: Lockstep;
  readonly worker: TestWorker;
}

/** A configuration with one group of all four systems, in which `directory` is the auth source. */
export const companyDocument = (
  company: Company,
  more: Parameters<Company['sources']>[0] = {},
): object => ({
  version: 1,
  sources: company.sources(more),
  // The directory requires 8 bytes, so its own limit is what refuses a shorter password.
  policies: { everyone: { minLength: 7 } },
  groups: {
    all: {
      policy: 'everyone',
      authSource: 'directory',
      sources: ['directory', 'apps', 'warehouse', 'crm'],
    },
  },
});

/**
 * Sets up a suite of worker tests, and registers its hooks. After each test all sources are up again, and the invariants
 * of the store are checked.
 * @param configure returns the configuration that is applied before the worker starts
 * @param options.masterKeysFor opens master keys that are not in the key folder
 * @param options.recordsHistories records the workflow histories of the suite when LOCKSTEP_RECORD_HISTORIES is set
 */
export function workerSuite(
  configure: (company: Company) => object = companyDocument,
  options: {
    readonly recordsHistories?: boolean;
    readonly masterKeysFor?: (db: Database) => MasterKeyStore;
  } = {},
): WorkerSuite {
  let state: Started | null = null;
  const apis: TestApi[] = [];
  const started = (): Started => {
    if (state === null) throw new Error('The suite has not been set up yet');
    return state;
  };

  beforeAll(async () => {
    const company = await startCompany();
    const engine = await startEngine();
    const lockstep = await startLockstep(engine, { masterKeysFor: options.masterKeysFor });
    await lockstep.configure(configure(company));
    state = { engine, company, lockstep, worker: lockstep.startWorker() };
  });
  afterEach(async () => {
    const { company, lockstep } = started();
    for (const proxy of Object.values(company.proxies)) await proxy.pass();
    await lockstep.forgetTroubles();
    expect(await brokenInvariants(lockstep.database.db)).toEqual({});
  });
  afterAll(async () => {
    const { engine, company, lockstep } = started();
    if (options.recordsHistories === true) await recordHistories(engine, lockstep.accepted);
    for (const api of apis) await api.stopProcess();
    await lockstep.stop();
    await engine.stop();
    await company.stop();
  });

  return {
    get engine() {
      return started().engine;
    },
    get company() {
      return started().company;
    },
    get lockstep() {
      return started().lockstep;
    },
    get worker() {
      return started().worker;
    },
    addPerson: (...systems) => addSomebody(started().lockstep, started().company, ...systems),
    async takeAway(system) {
      const proxy = started().company.proxies[system];
      await proxy.refuse();
      proxy.cut();
    },
    async rejectPasswords(account) {
      const admin =
        started().company.directories[account?.source === 'apps' ? 'apps' : 'directory'];
      const strict = await admin.addPolicy({ pwdCheckQuality: '2', pwdMinLength: '80' });
      await admin.replace(entryOf(account), 'pwdPolicySubentry', strict);
    },
    async storedInApps(account) {
      const entry = await started().company.directories.apps.read(entryOf(account));
      return String(entry.userPassword);
    },
    async startApi(env = {}) {
      const { database, keyDir } = started().lockstep;
      const api = await startTestApi({ database, keyDir, env });
      apis.push(api);
      return api;
    },
  };
}

/** The state of each account of a change, by its label. */
export const statesOf = ({ accounts }: ChangeView): Record<string, OutcomeState> =>
  Object.fromEntries(accounts.map(({ label, state }) => [label, state]));

/** An account as the administrator of a directory takes it. */
export const entryOf = (account: { readonly name: string } | undefined) => ({
  ref: { name: account?.name ?? '', nativeId: null },
  password: '',
  key: '',
});
