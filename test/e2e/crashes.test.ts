import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { ChangeView } from '../../store/changes/read';
import { readChange } from '../../store/changes/read';
import { type Company, type CompanyAccount, serviceSecret, startCompany } from '../support/company';
import { holdRows } from '../support/hold';
import { brokenInvariants } from '../support/invariants';
import { keeps } from '../support/rules';
import { describeWith, server } from '../support/servers';
import { startTestStack, type TestStack } from '../support/stack';
import { until } from '../support/until';

/** A person whose accounts in `directory`, `apps` and `crm` all hold the password `old`. */
interface Person {
  readonly person: string;
  readonly accounts: readonly CompanyAccount[];
  readonly old: string;
  readonly next: string;
}

/** A change that is held at a step. */
interface Held {
  readonly id: string;
  release(): unknown;
}

const MINUTES = 60_000;

describeWith(['slapd', 'postgres', 'temporal'], 'a crash', () => {
  let company: Company;
  let stack: TestStack;
  const secrets = mkdtempSync(path.join(os.tmpdir(), 'lockstep-secrets-'));

  beforeAll(async () => {
    [company, stack] = await Promise.all([startCompany(), startTestStack(secrets)]);
    const document = configuration(company, secrets);
    await succeed('POST', 'configuration/apply', { document, version: 0 });
  }, 2 * MINUTES);

  afterEach(async () => {
    for (const proxy of Object.values(company.proxies)) await proxy.pass();
  });

  afterAll(async () => {
    await stack.stop();
    await company.stop();
    rmSync(secrets, { recursive: true });
  });

  const password = () => `A new one for everybody ${randomBytes(6).toString('hex')}`;

  const succeed = async (...request: Parameters<TestStack['call']>) => {
    const { status, body } = await stack.call(...request);
    if (status !== 200 && status !== 202) throw new Error(JSON.stringify(body));
    return body;
  };
  const accept = async (identity: string, word: string): Promise<string> =>
    String((await succeed('POST', 'changes', { identity, password: word })).id);
  /** Reads a change until a condition is met, and ignores errors while a process is down. */
  const readUntil = (id: string, met: (change: ChangeView) => boolean) =>
    until(async () => {
      const change = await readChange(stack.database.db, id).catch(() => null);
      return change !== null && met(change);
    });
  const ended = (id: string) => readUntil(id, ({ endedAt }) => endedAt !== null);
  const outcome = (label: string, state: string) => (change: ChangeView) =>
    change.accounts.some((one) => one.label === label && one.state === state);

  async function newPerson(): Promise<Person> {
    const accounts = await Promise.all(
      (['directory', 'apps', 'crm'] as const).map((system) => company.addAccount(system)),
    );
    await keepHistory(company, accounts[1]);
    const person = `person-${randomBytes(5).toString('hex')}`;
    await succeed('PUT', `identities/${person}`, {
      accounts: accounts.map(({ source, name }) => ({ source, name })),
      mappings: [{ application: 'wiki' }, { application: 'expenses' }],
    });
    const [old, next] = [password(), password()];
    await ended(await accept(person, old));
    return { person, accounts, old, next };
  }

  /** Expects that the change is done, no account was written twice, and all views of it agree. */
  async function expectDone(id: string, { accounts, old, next }: Person, changes = 2) {
    await ended(id);
    expect(await succeed('GET', `changes/${id}`)).toMatchObject({
      state: 'done',
      accounts: accounts.map(() => ({ outcome: 'applied', proved: true })),
      mappings: [{ state: 'in_sync' }, { state: 'in_sync' }],
    });
    const logins = (word: string) => Promise.all(accounts.map((one) => one.logsIn(word)));
    expect(await logins(next)).toEqual([true, true, true]);
    expect(await logins(old)).toEqual([false, false, false]);
    expect(await historiesOf(company, accounts)).toEqual([changes, changes]);
    expect(await brokenInvariants(stack.database.db)).toEqual({});
    expect(await succeed('GET', 'audit/verify')).toMatchObject({ intact: true });
  }

  const steps = {
    'a change is accepted but not started': async ({ person, next }) => {
      stack.engine.freeze();
      const id = await accept(person, next);
      return { id, release: () => stack.engine.thaw() };
    },
    'the auth account is written but the reply is lost': async ({ person, next }) => {
      const lost = company.proxies.directory.loseReply(2, 'hang');
      const id = await accept(person, next);
      await until(() => lost.happened());
      return { id, release: () => {} };
    },
    'an account is claimed but not written': async ({ person, accounts, next }) => {
      const row = await holdRows(stack.database.url, 'select from account where name = $1', [
        accounts[2]?.name ?? '',
      ]);
      const id = await accept(person, next);
      await row.awaited();
      return { id, release: row.release };
    },
    'the auth account is done and another is being written': async (one) => {
      const row = await holdRows(companyUrl(company), 'select from staff where login = $1', [
        one.accounts[2]?.name ?? '',
      ]);
      const id = await accept(one.person, one.next);
      await row.awaited();
      await readUntil(id, outcome('apps', 'applied'));
      return { id, release: row.release };
    },
    'an account waits for its source': async ({ person, next }) => {
      await company.proxies.apps.refuse();
      company.proxies.apps.cut();
      const id = await accept(person, next);
      // In the middle of its wait, when no process works on it.
      await readUntil(id, ({ accounts: [, apps] }) => remainingMs(apps?.nextTryAt) < 3_000);
      await company.proxies.apps.pass();
      return { id, release: () => {} };
    },
    'an account that waited is tried again': async ({ person, accounts, next }) => {
      await company.proxies.crm.refuse();
      company.proxies.crm.cut();
      const id = await accept(person, next);
      await readUntil(id, outcome('crm', 'waiting'));
      const row = await holdRows(companyUrl(company), 'select from staff where login = $1', [
        accounts[2]?.name ?? '',
      ]);
      await company.proxies.crm.pass();
      await row.awaited();
      return { id, release: row.release };
    },
    'its mappings are being settled': async ({ person, next }) => {
      const rows = await holdRows(
        stack.database.url,
        'select from mapping where identity_id = (select id from identity where name = $1)',
        [person],
      );
      const id = await accept(person, next);
      await rows.awaited();
      return { id, release: rows.release };
    },
    'the change has ended': async ({ person, next }) => {
      const id = await accept(person, next);
      await ended(id);
      return { id, release: () => {} };
    },
  } satisfies Record<string, (one: Person) => Promise<Held>>;
  type Step = keyof typeof steps;
  const cases = (Object.keys(steps) as Step[]).flatMap((step) =>
    (['worker', 'api', 'engine', 'postgres'] as const).map((victim) => ({ victim, step })),
  );

  test.each(cases)(
    keeps('kill -9 of $victim while $step loses no change and writes no account twice', 24),
    async ({ victim, step }) => {
      const one = await newPerson();
      const { id, release } = await steps[step](one);
      await stack[victim].kill();
      await release();
      await stack[victim].back();
      await expectDone(id, one);
    },
    4 * MINUTES,
  );

  test(
    keeps('kill -9 of a worker after a write costs no newer password that is captured then', 12),
    async () => {
      const one = await newPerson();
      const [directory] = one.accounts;
      const { id } = await steps['the auth account is written but the reply is lost'](one);
      await stack.worker.kill();
      const word = password();
      await directory?.changeThere(word);
      const captured = await succeed('POST', 'captures', {
        ...{ source: 'directory', account: directory?.name, password: word },
        capturedAt: new Date().toISOString(),
      });
      await stack.worker.back();
      await ended(String(captured.id));
      await ended(id);
      const logins = one.accounts.map((account) => account.logsIn(word));
      expect(await Promise.all(logins)).toEqual([true, true, true]);
      expect(await succeed('GET', `changes/${captured.id}`)).toMatchObject({ state: 'done' });
      expect(await succeed('GET', `changes/${id}`)).toMatchObject({ state: 'superseded' });
      expect(await brokenInvariants(stack.database.db)).toEqual({});
    },
    4 * MINUTES,
  );

  const waitingFor = (id: string, what: 'engine' | 'worker') =>
    until(async () => (await succeed('GET', `changes/${id}`)).waitingFor === what);

  test('a change that is accepted while the engine is down reports that it waits for it, and ends once it is back', async () => {
    const one = await newPerson();
    await stack.engine.kill();
    const id = await accept(one.person, one.next);
    await waitingFor(id, 'engine');
    await stack.engine.back();
    await expectDone(id, one);
  });

  test('a change that is accepted while no worker runs reports that it waits for one, and ends once one runs', async () => {
    const one = await newPerson();
    await stack.worker.stop();
    const id = await accept(one.person, one.next);
    await waitingFor(id, 'worker');
    await stack.worker.back();
    await expectDone(id, one);
  });

  test('the api refuses changes while PostgreSQL is down, and continues without a restart once it is back', async () => {
    const one = await newPerson();
    const pids = [stack.api.pid(), stack.worker.pid()];
    await stack.postgres.kill();
    const wanted = { identity: one.person, password: one.next };
    const refused = await stack.call('POST', 'changes', wanted);
    expect(refused).toMatchObject({ status: 503, body: { code: 'database_away' } });
    expect(refused.headers.get('retry-after')).toBe('5');
    await stack.postgres.back();
    await expectDone(await accept(one.person, one.next), one);
    const { changes } = await succeed('GET', `changes?identity=${one.person}`);
    expect(changes).toHaveLength(2);
    expect([stack.api.pid(), stack.worker.pid()]).toEqual(pids);
  });

  test('an open change is started again and ends after the engine has lost all its data', async () => {
    const one = await newPerson();
    const { id } = await steps['an account waits for its source'](one);
    await stack.engine.kill();
    stack.engine.forget();
    await stack.engine.back();
    // A worker checks open changes every half an hour; the retry makes it happen now.
    await succeed('POST', `changes/${id}/retry`);
    await expectDone(id, one);
  });

  test.each<Step>(['an account is claimed but not written'])(
    'a worker that is frozen while %s writes no old password after another worker has taken over',
    async (step) => {
      const one = await newPerson();
      const { id, release } = await steps[step](one);
      stack.worker.freeze();
      await release();
      const other = await stack.startWorker();
      await ended(id);
      const next = password();
      const newer = await accept(one.person, next);
      await ended(newer);
      stack.worker.thaw();
      // Stopping waits for the work in progress.
      await stack.worker.stop();
      await expectDone(newer, { ...one, old: one.next, next }, 3);
      await stack.worker.back();
      await other.stop();
    },
    2 * MINUTES,
  );
});

const remainingMs = (until: Date | null | undefined): number =>
  until ? until.getTime() - Date.now() : Number.POSITIVE_INFINITY;

/** The configuration of the test company, with service passwords in files because api and worker are separate processes. */
function configuration(company: Company, secrets: string): object {
  const timeouts = { directory: 3_000, apps: 3_000, warehouse: 3_000, crm: 9_000 };
  const captured = { directory: { capture: { enabled: true } } };
  const all = company.sources(captured) as Record<keyof typeof timeouts, { settings: object }>;
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
  });
  return JSON.parse(
    document.replace(/\$\{env:(\w+)\}/g, (reference, name) => {
      const file = path.join(secrets, name);
      serviceSecret(reference).use((bytes) => writeFileSync(file, bytes, { mode: 0o600 }));
      return `\${file:${file}}`;
    }),
  );
}

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
