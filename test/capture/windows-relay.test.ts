import { existsSync, readFileSync, rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { Registration } from '../../capture/setup';
import { configurationSchema } from '../../model/configuration';
import { unsealCapture } from '../../sealing/captures';
import { destroyPasswords } from '../../sealing/passwords';
import { applyConfiguration } from '../../store/configurations';
import { ensureEpoch } from '../../store/epochs';
import { takeSealedCapture } from '../../store/sealed-captures';
import { startTestApi, type TestApi } from '../support/api';
import { type Call, openLsass, type PlayedLsass, SUPPORT, sids } from '../support/lsass';
import { testConfiguration } from '../support/played-worker';
import { setUpTestRelay, type TestRelay } from '../support/relay';
import { describeWith } from '../support/servers';
import { until } from '../support/until';
import { openWindows, type Windows, windowsPath } from '../support/windows';

const MINUTES = 60_000;
const PIPE = '\\\\.\\pipe\\lockstep';

const capture = { enabled: true, verifyCurrent: false };
const configuration = configurationSchema.parse({
  ...testConfiguration,
  sources: { ...testConfiguration.sources, domain: { kind: 'ldap', settings: {}, capture } },
});

/** The relay itself, run by the Node of Windows, between the notification package and the api. */
describeWith(['windows', 'postgres'], 'a relay on Windows', () => {
  let [windows, lsass, api, relay] = [] as unknown as [Windows, PlayedLsass, TestApi, TestRelay];

  beforeAll(async () => {
    [windows, api] = await Promise.all([openWindows(), startTestApi()]);
    lsass = openLsass(windows);
    await applyConfiguration(api.database.db, configuration, 0, 'test');
    await ensureEpoch(api.database.db, api.keys, 24, 'capture');
    relay = await setUp(PIPE);
  }, 2 * MINUTES);
  afterAll(async () => {
    await relay.kill();
    await api.stop();
    await windows.stop();
  });

  const setUp = (socket: string, settings: Record<string, unknown> = {}) =>
    setUpTestRelay({
      url: api.url,
      source: 'domain',
      settings: { socket, ...settings },
      program: [windows.command, windows.node],
      register: async (publicKey) => {
        const body = { source: 'domain', publicKey };
        return (await api.send('POST', '/v1/relays', { body })).body as unknown as Registration;
      },
    });
  /** Until it has a key to seal to. */
  async function start() {
    await relay.start({ env: windows.env });
    await lsass.givePipeTo(sids.administrators);
    await until(() => existsSync(path.join(relay.spool, 'key.json')));
  }
  async function told(): Promise<Record<string, unknown>> {
    const { body } = await api.send('GET', '/v1/relays');
    const relays = body.relays as Record<string, unknown>[];
    return relays.find(({ id }) => id === relay.id) ?? {};
  }
  const isInSpool = async (text: string) =>
    (await readdir(relay.spool, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .some((entry) => readFileSync(path.join(entry.parentPath, entry.name)).includes(text));
  /** What it brought, in its order, opened as a worker opens it. */
  async function brought(): Promise<readonly (readonly [string, string])[]> {
    const opened: [string, string][] = [];
    await api.database.db.transaction().execute(async (trx) => {
      for (
        let row = await takeSealedCapture(trx);
        row !== null;
        row = await takeSealedCapture(trx)
      ) {
        const key = await api.keys.epochKey(row.epochId);
        if (key === null) throw new Error('no key');
        const { account, passwords } = await unsealCapture(row.jwe, key, row);
        opened.push([account, passwords.next.use((bytes) => bytes.toString('utf8'))]);
        destroyPasswords(passwords);
      }
    });
    return opened;
  }

  const delivered = (count: number) =>
    until(async () => {
      const { received, backlog } = await told();
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

  test('brings what the package hands over, byte for byte and in its order, also what came while the api was away', async () => {
    await start();
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
    expect(await brought()).toEqual([...calls, ...later.map((word) => ['bob', word])]);
    expect(relay.printed()).not.toContain('while it is away');
  });

  test('has its spool and its pipe for itself', async () => {
    expect(await refused(PIPE)).toContain('Another relay listens on');
    expect(await refused(`${PIPE}-2`, { spool: relay.spool })).toContain(
      'Another relay has the spool',
    );
  });

  test('that was set up on Windows listens on the pipe of the package', async () => {
    const dir = path.join(windows.dir, 'relay');
    await windows.run(windows.node, path.join(SUPPORT, 'set-up.cjs'), windowsPath(dir));
    const written = JSON.parse(readFileSync(path.join(dir, 'relay.json'), 'utf8'));
    expect(written).toMatchObject({ source: 'domain', socket: PIPE });
  });

  test('listens on nothing but a pipe, and says how one is called', async () => {
    expect(await refused('run/capture.sock')).toContain('such as \\\\.\\pipe\\lockstep');
  });
});
