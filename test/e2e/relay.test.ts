import { rmSync } from 'node:fs';
import path from 'node:path';
import type { Registration } from '../../capture/setup';
import { openFingerprintKey, readSigner } from '../../intake/key-files';
import type { Temporal } from '../../local/temporal';
import { startCaptures } from '../../worker/captures';
import { startTestApi, type TestApi } from '../support/api';
import { type Company, type CompanyAccount, startCompany } from '../support/company';
import { startEngine } from '../support/engine';
import { brokenInvariants } from '../support/invariants';
import { type Lockstep, startLockstep } from '../support/lockstep';
import { setUpTestRelay, type TestRelay } from '../support/relay';
import { captureDependencies } from '../support/relayed';
import { describeWith } from '../support/servers';
import { until } from '../support/until';

const MINUTES = 60_000;

/** From a directory in which somebody changed a password, through the relay beside it, to every other account. */
describeWith(['slapd', 'postgres', 'temporal'], 'a password that a relay brought', () => {
  let engine: Temporal;
  let company: Company;
  let lockstep: Lockstep;
  let api: TestApi;
  let relay: TestRelay;
  let worker: { stop(): Promise<void> };

  beforeAll(async () => {
    company = await startCompany();
    engine = await startEngine();
    lockstep = await startLockstep(engine);
    const captured = { capture: { enabled: true } };
    await lockstep.configure({
      version: 1,
      sources: company.sources({ directory: captured, crm: captured }),
      policies: { everyone: {} },
      groups: {
        all: {
          policy: 'everyone',
          authSource: 'directory',
          sources: ['directory', 'apps', 'warehouse', 'crm'],
        },
      },
    });
    lockstep.startWorker();
    api = await startTestApi({ database: lockstep.database, keyDir: lockstep.keyDir });
    const signer = readSigner(path.join(lockstep.keyDir, 'signer.pub.json'));
    const fingerprintKey = openFingerprintKey(path.join(api.dir, 'fingerprint.key'));
    const settings = { fingerprintKey };
    const deps = captureDependencies(lockstep.database.db, lockstep.keys, () => signer, settings);
    const captures = await startCaptures(deps, lockstep.database.url);
    worker = {
      stop: async () => {
        await captures.stop();
        await deps.close();
      },
    };
    relay = await setUpTestRelay({
      url: api.url,
      source: 'directory',
      register: async (publicKey) => {
        const wanted = {
          key: await api.newKey(['admin']),
          body: { source: 'directory', publicKey },
        };
        return (await api.send('POST', '/v1/relays', wanted)).body as unknown as Registration;
      },
    });
    await relay.start();
    await until(async () => (await relay.handOver('nobody', 'the first one')) === 'taken');
  }, 2 * MINUTES);
  afterEach(async () => {
    expect(await brokenInvariants(lockstep.database.db)).toEqual({});
  });
  afterAll(async () => {
    await relay.stop();
    rmSync(relay.dir, { recursive: true });
    await worker.stop();
    await api.stopProcess();
    await lockstep.stop();
    await engine.stop();
    await company.stop();
  });

  async function somebody() {
    const systems = ['directory', 'apps', 'warehouse', 'crm'] as const;
    const accounts = await Promise.all(systems.map((system) => company.addAccount(system)));
    return { person: await lockstep.addPerson(accounts), accounts };
  }
  const logins = (accounts: readonly CompanyAccount[], word: string) =>
    Promise.all(accounts.map((one) => one.logsIn(word)));
  const changesOf = async (person: string) =>
    lockstep.database.db
      .selectFrom('change')
      .select(['id', 'state', 'origin_account_id as origin', 'ended_at as ended'])
      .where('identity_name', '=', person)
      .orderBy('seq')
      .execute();
  /** Past Lockstep, and the source hands it over. */
  async function changeThere(account: CompanyAccount | undefined, word: string) {
    await account?.changeThere(word);
    expect(await relay.handOver(account?.name ?? '', word)).toBe('taken');
  }

  test.each([
    ['plain', 'correct horse battery staple'],
    ['of quotes and backslashes', `it's "quoted" \\ and %s $1 {}`],
    ['of emoji and accents', 'pässwörd 🐦 пароль 密码'],
    ['of 256 characters', '0123456789abcdéf'.repeat(16)],
  ])('%s is what every account holds, byte for byte', async (_title, word) => {
    const { person, accounts } = await somebody();
    await changeThere(accounts[0], word);
    await until(async () => (await changesOf(person))[0]?.state === 'done');
    expect(await logins(accounts, word)).toEqual([true, true, true, true]);
    expect(await changesOf(person)).toMatchObject([{ origin: expect.any(String) }]);
  });

  test('while api and relay fall over in turn: nobody is left out, and everybody ends with the newest', async () => {
    const { person, accounts } = await somebody();
    const words = Array.from({ length: 4 }, (_, index) => `the word after number ${index}`);
    await api.stopProcess();
    for (const word of words.slice(0, 2)) await changeThere(accounts[0], word);
    await relay.kill();
    await relay.start();
    for (const word of words.slice(2)) await changeThere(accounts[0], word);
    await api.restart();
    await until(async () => {
      const changes = await changesOf(person);
      return changes.length === 4 && changes.every(({ ended }) => ended !== null);
    });
    expect(await logins(accounts, words[3] ?? '')).toEqual([true, true, true, true]);
    expect((await changesOf(person)).at(-1)?.state).toBe('done');
    expect([api.printed(), relay.printed()].join()).not.toContain('the word after number');
  });
});
