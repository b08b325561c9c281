import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { sql } from 'kysely';
import { type ChangeView, readChange } from '../../store/changes/read';
import { unsealCredential } from '../../store/worker/credentials';
import { openMasterFolder } from '../../store/worker/keys/master-folder';
import { type Company, type CompanyAccount, serviceSecret, startCompany } from './company';
import { holdRows } from './hold';
import { brokenInvariants } from './invariants';
import { runsInFull } from './long';
import { server } from './servers';
import { startTestStack, type TestStack } from './stack';
import { until } from './until';

/** Lockstep and the systems of a company, whose processes a test kills at a chosen step of a change. */
export interface CrashBench {
  readonly company: Company;
  readonly stack: TestStack;
}

/** A person whose accounts in `directory`, `apps` and `crm` all hold the password `old`. */
export interface Person {
  readonly person: string;
  readonly accounts: readonly CompanyAccount[];
  readonly old: string;
  readonly next: string;
}

/** A change that is held at a step. */
interface Held {
  readonly id: string;
  release(): unknown;
  /** Shortens what Lockstep waits for after a crash, once the killed process is back. */
  hurry?(): Promise<void>;
}

/** Starts the bench before the tests of a suite, and repairs the connections after each. */
export function crashBench(): CrashBench {
  let started: CrashBench & { stop(): Promise<void> };
  beforeAll(async () => {
    started = await startCrashBench();
  }, 120_000);
  afterEach(async () => {
    for (const proxy of Object.values(started.company.proxies)) await proxy.pass();
  });
  afterAll(() => started.stop());
  return {
    get company() {
      return started.company;
    },
    get stack() {
      return started.stack;
    },
  };
}

async function startCrashBench() {
  const secrets = mkdtempSync(path.join(os.tmpdir(), 'lockstep-secrets-'));
  const [company, stack] = await Promise.all([startCompany(), startTestStack(secrets)]);
  const bench = {
    company,
    stack,
    async stop() {
      await stack.stop();
      await company.stop();
      rmSync(secrets, { recursive: true });
    },
  };
  const document = configuration(company, secrets);
  await succeed(bench, 'POST', 'configuration/apply', { document, version: 0 });
  return bench;
}

export const newPassword = () => `A new one for everybody ${randomBytes(6).toString('hex')}`;

/** Calls the api. @throws Error with its answer unless it succeeds */
export async function succeed({ stack }: CrashBench, ...request: Parameters<TestStack['call']>) {
  const { status, body } = await stack.call(...request);
  if (status !== 200 && status !== 202) throw new Error(JSON.stringify(body));
  return body;
}

export const accept = async (
  bench: CrashBench,
  identity: string,
  password: string,
): Promise<string> => String((await succeed(bench, 'POST', 'changes', { identity, password })).id);

/** Reads a change until a condition is met, and ignores errors while a process is down. */
const readUntil = ({ stack }: CrashBench, id: string, met: (change: ChangeView) => boolean) =>
  until(async () => {
    const change = await readChange(stack.database.db, id).catch(() => null);
    return change !== null && met(change);
  });

export const ended = (bench: CrashBench, id: string) =>
  readUntil(bench, id, ({ endedAt }) => endedAt !== null);

const outcome = (label: string, state: string) => (change: ChangeView) =>
  change.accounts.some((one) => one.label === label && one.state === state);

export async function newPerson(bench: CrashBench): Promise<Person> {
  const { company } = bench;
  const accounts = await Promise.all(
    (['directory', 'apps', 'crm'] as const).map((system) => company.addAccount(system)),
  );
  await keepHistory(company, accounts[1]);
  const person = `person-${randomBytes(5).toString('hex')}`;
  await succeed(bench, 'PUT', `identities/${person}`, {
    accounts: accounts.map(({ source, name }) => ({ source, name })),
    mappings: [{ application: 'wiki' }, { application: 'expenses' }],
  });
  const [old, next] = [newPassword(), newPassword()];
  await ended(bench, await accept(bench, person, old));
  return { person, accounts, old, next };
}

/** What the stored credentials of a person's mappings open to. */
export async function credentialsOf({ stack }: CrashBench, person: string): Promise<string[]> {
  const keys = openMasterFolder(stack.keyDir);
  const rows = await stack.database.db
    .selectFrom('mapping')
    .innerJoin('identity', 'identity.id', 'mapping.identity_id')
    .where('identity.name', '=', person)
    .select(['mapping.id', 'mapping.sealed', 'mapping.applied_seq', 'mapping.master_key_id'])
    .execute();
  return Promise.all(
    rows.map(async ({ id, sealed, applied_seq, master_key_id }) =>
      unsealCredential(
        await keys.masterKey(master_key_id ?? ''),
        id,
        applied_seq,
        sealed ?? Buffer.alloc(0),
      ).text(),
    ),
  );
}

/**
 * Expects that the change is done, no account was written twice, the stored credentials are up to date, and all views of the
 * change agree.
 */
export async function expectDone(
  bench: CrashBench,
  id: string,
  { person, accounts, old, next }: Person,
  changes = 2,
) {
  await ended(bench, id);
  expect(await succeed(bench, 'GET', `changes/${id}`)).toMatchObject({
    state: 'done',
    accounts: accounts.map(() => ({ outcome: 'applied', proved: true })),
    mappings: [{ state: 'in_sync' }, { state: 'in_sync' }],
  });
  const logins = (word: string) => Promise.all(accounts.map((one) => one.logsIn(word)));
  expect(await logins(next)).toEqual([true, true, true]);
  expect(await logins(old)).toEqual([false, false, false]);
  expect(await historiesOf(bench.company, accounts)).toEqual([changes, changes]);
  expect(await credentialsOf(bench, person)).toEqual([next, next]);
  expect(await brokenInvariants(bench.stack.database.db)).toEqual({});
}

/** Waits until the api reports what a change waits for. */
export const waitingFor = (bench: CrashBench, id: string, what: 'engine' | 'worker') =>
  until(async () => (await succeed(bench, 'GET', `changes/${id}`)).waitingFor === what);

/** Each starts a change and holds it at a step. */
export const crashSteps = {
  'a change is accepted but not started': async (bench, { person, next }) => {
    bench.stack.engine.freeze();
    const id = await accept(bench, person, next);
    return { id, release: () => bench.stack.engine.thaw() };
  },
  'the auth account is written but the reply is lost': async (bench, { person, next }) => {
    const lost = bench.company.proxies.directory.loseReply(2, 'hang');
    const id = await accept(bench, person, next);
    await until(() => lost.happened());
    return { id, release: () => {} };
  },
  'an account is claimed but not written': async (bench, { person, accounts, next }) => {
    const row = await holdRows(bench.stack.database.url, 'select from account where name = $1', [
      accounts[2]?.name ?? '',
    ]);
    const id = await accept(bench, person, next);
    await row.awaited();
    return { id, release: row.release };
  },
  'the auth account is done and another is being written': async (bench, one) => {
    const row = await holdRows(companyUrl(bench.company), 'select from staff where login = $1', [
      one.accounts[2]?.name ?? '',
    ]);
    const id = await accept(bench, one.person, one.next);
    await row.awaited();
    await readUntil(bench, id, outcome('apps', 'applied'));
    return { id, release: row.release };
  },
  'an account waits for its source': async (bench, { person, next }) => {
    await bench.company.proxies.apps.refuse();
    bench.company.proxies.apps.cut();
    const id = await accept(bench, person, next);
    // In the middle of its wait, when no process works on it.
    await readUntil(bench, id, ({ accounts: [, apps] }) => remainingMs(apps?.nextTryAt) < 3_000);
    await bench.company.proxies.apps.pass();
    return { id, release: () => {} };
  },
  'an account that waited is tried again': async (bench, { person, accounts, next }) => {
    await bench.company.proxies.crm.refuse();
    bench.company.proxies.crm.cut();
    const id = await accept(bench, person, next);
    await readUntil(bench, id, outcome('crm', 'waiting'));
    const row = await holdRows(companyUrl(bench.company), 'select from staff where login = $1', [
      accounts[2]?.name ?? '',
    ]);
    await bench.company.proxies.crm.pass();
    await row.awaited();
    return { id, release: row.release, hurry: () => hurryProbe(bench, id) };
  },
  'its mappings are being settled': async (bench, { person, next }) => {
    const rows = await holdRows(
      bench.stack.database.url,
      'select from mapping where identity_id = (select id from identity where name = $1)',
      [person],
    );
    const id = await accept(bench, person, next);
    await rows.awaited();
    return { id, release: rows.release };
  },
  'the change has ended': async (bench, { person, next }) => {
    const id = await accept(bench, person, next);
    await ended(bench, id);
    return { id, release: () => {} };
  },
} satisfies Record<string, (bench: CrashBench, one: Person) => Promise<Held>>;

export type CrashStep = keyof typeof crashSteps;

/**
 * A test case for each step and each process that is killed there. `npm test` kills each process at every second step, two
 * processes at each step.
 */
export const crashCases = <Victim extends string>(...victims: readonly Victim[]) =>
  (Object.keys(crashSteps) as CrashStep[]).flatMap((step, at) =>
    victims
      .filter((_, nth) => runsInFull || (at + nth) % 2 === 0)
      .map((victim) => ({ victim, step })),
  );

/** Kills a process at a step and expects that the change is done once it is back. */
export async function expectDoneAfterKill(
  bench: CrashBench,
  victim: 'worker' | 'api' | 'engine' | 'postgres',
  step: CrashStep,
): Promise<void> {
  const one = await newPerson(bench);
  const { id, release, hurry }: Held = await crashSteps[step](bench, one);
  await bench.stack[victim].kill();
  await release();
  await bench.stack[victim].back();
  await hurry?.();
  await expectDone(bench, id, one);
}

/**
 * A killed worker keeps the probe of the source `crm` for a minute, because it could be frozen. This ends that minute as soon as
 * the account waits for it.
 */
async function hurryProbe(bench: CrashBench, id: string): Promise<void> {
  const isWaiting = outcome('crm', 'waiting');
  await readUntil(bench, id, (change) => change.endedAt !== null || isWaiting(change));
  const end = sql`update source_state
                  set probing_until = null, next_probe_at = now() - interval '1 minute'`;
  // The first connection may be one to the PostgreSQL that was killed.
  await until(() => end.execute(bench.stack.database.db).then(Boolean, () => false));
}

const remainingMs = (until: Date | null | undefined): number =>
  until ? until.getTime() - Date.now() : Number.POSITIVE_INFINITY;

/** The configuration of the test company, in which `crm` is an adapter of single sign-on, with service passwords in files because api and worker are separate processes. */
function configuration(company: Company, secrets: string): object {
  const timeouts = { directory: 3_000, apps: 3_000, warehouse: 3_000, crm: 9_000 };
  const more = {
    directory: { capture: { enabled: true } },
    crm: { adapter: { enabled: true, applications: ['expenses'], syncToAdapter: true } },
  };
  const all = company.sources(more) as Record<keyof typeof timeouts, { settings: object }>;
  const sources = Object.fromEntries(
    (['directory', 'apps', 'crm'] as const).map((name) => [
      name,
      { ...all[name], settings: { ...all[name].settings, timeoutMs: timeouts[name] } },
    ]),
  );
  const document = JSON.stringify({
    version: 1,
    sources,
    policies: { everyone: {} },
    groups: {
      all: {
        policy: 'everyone',
        authSource: 'directory',
        sources: ['directory', 'apps', 'crm'],
      },
    },
    applications: { wiki: { source: 'apps' }, expenses: { source: 'crm' } },
    sso: { switches: { windowsToAdapters: true } },
  });
  return JSON.parse(withSecretFiles(document, secrets));
}

/** Writes the service passwords that a document refers to into files, and lets it refer to these. */
export const withSecretFiles = (document: string, secrets: string): string =>
  document.replace(/\$\{env:(\w+)\}/g, (reference, name) => {
    const file = path.join(secrets, name);
    serviceSecret(reference).use((bytes) => writeFileSync(file, bytes, { mode: 0o600 }));
    return `\${file:${file}}`;
  });

/** URL of the company's database, which has the table `staff`. */
function companyUrl(company: Company): string {
  const { settings } = company.sources().crm as { settings: { database: string } };
  const url = new URL(server('postgres').url ?? '');
  url.pathname = settings.database;
  return url.href;
}

const entry = ({ name }: CompanyAccount) => ({
  ref: { name, nativeId: null },
  password: '',
  key: '',
});

/**
 * Makes the directory `apps` keep a password history, as the other directory does by default. With it a directory refuses a
 * repeated password and shows how many different passwords an account had.
 */
async function keepHistory({ directories }: Company, account?: CompanyAccount): Promise<void> {
  if (account === undefined) throw new Error('no account');
  const policy = await directories.apps.addPolicy({ pwdInHistory: '3' });
  await directories.apps.replace(entry(account), 'pwdPolicySubentry', policy);
}

/** Number of earlier passwords of each account in a directory. */
const historiesOf = (
  { directories }: Company,
  accounts: readonly CompanyAccount[],
): Promise<number[]> =>
  Promise.all(
    accounts.flatMap((account) =>
      account.source === 'directory' || account.source === 'apps'
        ? directories[account.source]
            .read(entry(account))
            .then(({ pwdHistory }) => [pwdHistory ?? []].flat().length)
        : [],
    ),
  );
