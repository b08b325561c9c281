import { existsSync, readFileSync, rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { Registration } from '../../capture/setup';
import { activeDirectory } from '../../connectors/active-directory/kind';
import { activeDirectorySettings } from '../../connectors/active-directory/settings';
import { accountRulesOf } from '../../connectors/registry';
import { readSigner } from '../../intake/key-files';
import { configurationSchema } from '../../model/configuration/document';
import { Secret } from '../../model/passwords/secret';
import { unsealCapture } from '../../sealing/captures';
import { applyConfiguration } from '../../store/configuration/versions';
import { saveIdentity } from '../../store/people/identities';
import { ensureEpoch } from '../../store/worker/epochs';
import { dequeueSealedCapture } from '../../store/worker/sealed-captures';
import { ingestNextCapture } from '../../worker/captures/ingest-relayed';
import { activeDirectorySubject, domainAdmin } from '../connectors/active-directory-subject';
import { startTestApi, type TestApi } from '../support/api';
import { type Call, openLsass, type PlayedLsass, SUPPORT, sids } from '../support/lsass';
import { testConfiguration } from '../support/played-worker';
import { setUpTestRelay, type TestRelay } from '../support/relay';
import { captureDependencies } from '../support/relayed';
import { describeWith } from '../support/servers';
import { until } from '../support/until';
import { openWindows, type Windows, windowsPath } from '../support/windows';

const MINUTES = 60_000;
const PIPE = '\\\\.\\pipe\\lockstep';

const capture = { enabled: true, verifyCurrent: false };
const configuration = configurationSchema.parse({
  ...testConfiguration,
  sources: { ...testConfiguration.sources, warehouse: { kind: 'ldap', settings: {}, capture } },
});

/** Runs the relay with Node for Windows, between the notification package and the api. */
describeWith(['windows', 'postgres'], 'a relay on Windows', () => {
  let [windows, lsass, api, relay] = [] as unknown as [Windows, PlayedLsass, TestApi, TestRelay];

  beforeAll(async () => {
    [windows, api] = await Promise.all([openWindows(), startTestApi()]);
    lsass = openLsass(windows);
    await applyConfiguration(api.database.db, configuration, 0, 'test', accountRulesOf);
    await ensureEpoch(api.database.db, api.keys, 24, 'capture');
    relay = await setUp(PIPE);
    await start();
  }, 2 * MINUTES);
  afterAll(async () => {
    await relay.kill();
    rmSync(relay.dir, { recursive: true });
    await api.stop();
    await windows.stop();
  });

  const setUp = (socket: string, settings: Record<string, unknown> = {}) =>
    setUpTestRelay({
      url: api.url,
      source: 'warehouse',
      settings: { socket, ...settings },
      program: [windows.command, windows.node],
      register: async (publicKey) => {
        const body = { source: 'warehouse', publicKey };
        return (await api.send('POST', '/v1/relays', { body })).body as unknown as Registration;
      },
    });
  /** Starts the relay and waits until it has a sealing key. */
  async function start() {
    await relay.start({ env: windows.env });
    await lsass.givePipeTo(sids.administrators);
    await until(() => existsSync(path.join(relay.spool, 'key.json')));
  }
  async function reported(): Promise<Record<string, unknown>> {
    const { body } = await api.send('GET', '/v1/relays');
    const relays = body.relays as Record<string, unknown>[];
    return relays.find(({ id }) => id === relay.id) ?? {};
  }
  const isInSpool = async (text: string) =>
    (await readdir(relay.spool, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .some((entry) => readFileSync(path.join(entry.parentPath, entry.name)).includes(text));
  /** Account and password of each delivered capture, in order, unsealed as a worker does it. */
  async function deliveredCaptures(): Promise<readonly (readonly [string, string])[]> {
    const opened: [string, string][] = [];
    await api.database.db.transaction().execute(async (trx) => {
      for (
        let row = await dequeueSealedCapture(trx);
        row !== null;
        row = await dequeueSealedCapture(trx)
      ) {
        const key = await api.keys.epochKey(row.epochId);
        if (key === null) throw new Error('no key');
        const { account, password, current } = await unsealCapture(row.jwe, key, row);
        opened.push([account, password.use((bytes) => bytes.toString('utf8'))]);
        password.destroy();
        current?.destroy();
      }
    });
    return opened;
  }

  const delivered = (count: number) =>
    until(async () => {
      const { received, backlog } = await reported();
      return received === count && backlog === 0;
    });
  const refused = async (socket: string, settings: Record<string, unknown> = {}) => {
    const other = await setUp(socket, settings);
    await other.start({ env: windows.env });
    await other.ended();
    const printed = other.printed();
    rmSync(other.dir, { recursive: true });
    return printed;
  };

  test('a relay on Windows delivers captures byte for byte and in order, including those from while the api was down', async () => {
    const words = ['"quoted" \\ word', 'Grüße an 🔐', 'one\nand\ttwo', `${'x'.repeat(255)}!`];
    const calls = words.map((word): Call => ['alice', word]);
    await lsass.change(calls);
    await delivered(4);
    await api.stopProcess();
    const later = ['first while it is away', 'second while it is away', 'third, of a new process'];
    await lsass.change(later.slice(0, 2).map((word) => ['bob', word]));
    expect(await isInSpool('while it is away')).toBe(false);
    await relay.kill();
    await start();
    await lsass.change([['bob', later[2] ?? '']]);
    await api.restart();
    await delivered(7);
    expect(await deliveredCaptures()).toEqual([...calls, ...later.map((word) => ['bob', word])]);
    expect(relay.printed()).not.toContain('while it is away');
  });

  test('a relay on Windows refuses the pipe or the spool of another relay', async () => {
    expect(await refused(PIPE)).toContain('Another relay listens on');
    expect(await refused(`${PIPE}-2`, { spool: relay.spool })).toContain(
      'Another relay uses the spool',
    );
  });

  test('a relay is set up on Windows only in a new folder, with the pipe of the package as its socket', async () => {
    const dir = path.join(windows.dir, 'relay');
    await windows.run(windows.node, path.join(SUPPORT, 'set-up.cjs'), windowsPath(dir));
    const again = windows.run(
      windows.node,
      path.join(SUPPORT, 'set-up.cjs'),
      windowsPath(windows.dir),
    );
    await expect(again).rejects.toThrow('name a folder that does not exist yet');
    const written = JSON.parse(readFileSync(path.join(dir, 'relay.json'), 'utf8'));
    expect(written).toMatchObject({ source: 'domain', socket: PIPE });
  });

  test('a relay on Windows refuses a socket that is not a pipe, and shows the name of one', async () => {
    expect(await refused('run/capture.sock')).toContain('such as \\\\.\\pipe\\lockstep');
  });

  /** Samba stands for the Windows domain controller on which the relay would run. */
  describeWith(['samba'], 'next to a domain', () => {
    test('a capture from the package, which knows only the sAMAccountName, becomes a change of the linked identity', async () => {
      const admin = await domainAdmin();
      const subject = activeDirectorySubject(async () => admin);
      const { ref, key } = await admin.addAccount();
      const { db } = api.database;
      const settings = activeDirectorySettings.parse(subject.settings(subject.server));
      const warehouse = { kind: 'active-directory', settings };
      const named = { ...capture, accountsBy: 'sAMAccountName' };
      const sources = { ...configuration.sources, warehouse: { ...warehouse, capture: named } };
      await applyConfiguration(
        db,
        configurationSchema.parse({ ...configuration, sources }),
        1,
        'test',
        accountRulesOf,
      );
      const links = [
        { source: 'directory', name: key, nativeId: null, primary: true },
        { source: 'warehouse', ...ref, primary: true },
      ];
      await saveIdentity(
        db,
        { name: 'alice', attributes: {} },
        links,
        'operator',
        'test',
        (source) => accountRulesOf(new Map(Object.entries(sources)).get(source)),
      );
      const resolve = (reference: string) => Secret.fromText(subject.secrets[reference] ?? '');
      const connector = await activeDirectory.open(settings, { resolve });
      const signer = readSigner(path.join(api.dir, 'keys', 'signer.pub.json'));
      const worker = captureDependencies(
        db,
        api.keys,
        () => signer,
        {},
        async () => connector,
      );

      const { received } = await reported();
      await lsass.change([[key, 'correct horse battery staple']]);
      await delivered(Number(received) + 1);
      while (await ingestNextCapture(worker));
      const changes = await db
        .selectFrom('change')
        .innerJoin('account', 'account.id', 'origin_account_id')
        .select(['identity_name', 'account.name'])
        .execute();
      expect(changes).toEqual([{ identity_name: 'alice', name: ref.name }]);
      for (const opened of [connector, worker, admin]) await opened.close();
    });
  });
});
