import { randomUUID } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { type HandOverListener, listenForCaptures } from '../../capture/hand-over/listener';
import { run } from '../../cli/program';
import { freePort } from '../../local/ports';
import { reportPresence } from '../../store/presence';
import { claimJob, finishJob } from '../../store/sources/jobs';
import { startTestApi, type TestApi } from '../support/api';
import { addPerson, applyTestConfiguration } from '../support/played-worker';
import { describeWith } from '../support/servers';
import { acceptedChange } from './accepted';
import { lockstep, lockstepAt } from './run-cli';

const KEY = `lks_${'0'.repeat(26)}_${'a'.repeat(43)}`;

/** Every command, with arguments that make it succeed. */
const commands: Readonly<Record<string, (facts: Facts) => readonly string[]>> = {
  change: () => ['alice', '--wait', '0'],
  status: ({ change }) => [change],
  changes: () => [],
  retry: ({ change }) => [change],
  park: ({ change }) => [change],
  cancel: ({ change }) => [change],
  stale: () => ['--look'],
  'sources list': () => [],
  'sources waiting': () => ['crm'],
  'sources history': () => ['crm'],
  'sources pause': () => ['ledger'],
  'sources resume': () => ['ledger'],
  'sources retry': () => ['crm'],
  'sources park': () => ['crm'],
  'sources cancel': () => ['crm'],
  plan: ({ file }) => ['-f', file],
  apply: ({ file }) => ['-f', file, '--yes'],
  doctor: () => ['crm'],
  refresh: () => ['crm'],
  'identities list': () => [],
  'identities show': () => ['alice'],
  'identities set': () => ['alice', '--attribute', 'mail=alice@example.com'],
  'identities unlink': () => ['alice', 'warehouse:alice'],
  'identities delete': () => ['dora', '--yes'],
  'keys list': () => [],
  'keys create': () => ['some', '--scope', 'read'],
  'keys rotate': ({ rotated }) => [rotated],
  'keys revoke': ({ key }) => [key],
  graph: ({ file }) => ['--svg', `${file}.svg`],
  audit: () => [],
  'configuration versions': () => [],
  'configuration show': () => ['1'],
  'configuration diff': () => ['1'],
  'adapters list': () => [],
  'adapters reset': () => ['--yes'],
  'applications list': () => [],
  'applications show': () => ['reports'],
  'sso status': () => [],
  'sso switches': () => [],
  'mappings list': () => [],
  'notices list': () => [],
  'captures list': () => [],
  'captures stop': () => [],
  'captures start': () => [],
  'captures set-startpoint': () => ['end'],
  'relay register': ({ file }) => ['warehouse', '--dir', `${file}.${randomUUID()}`],
  'relay setup outbox': () => [
    ...['--engine', 'postgres', '--table', 'app.users'],
    ...['--account-column', 'login', '--password-column', 'hash'],
  ],
  'relay hand-over': ({ socket }) => ['--socket', socket, '--account', 'alice'],
  'support-bundle': ({ file, ops }) => [
    ...['--out', `${file}.${randomUUID()}`, '--log', file, '--metrics', ops],
  ],
  'blocklist build': ({ file }) => [file, `${file}.blocklist`],
};

/** Commands with tests of their own: some need a worker, a connector, a domain or a channel. */
const testedElsewhere = [
  ...['connector test', 'notices test', 'relay setup samba'],
  ...['audit verify', 'configuration rollback', 'sources kinds', 'sources try'],
  ...['show', 'try-filter'].map((verb) => `groups ${verb}`),
  ...['create', 'update', 'delete', 'import'].map((verb) => `applications ${verb}`),
  ...[
    'show',
    'create',
    'update',
    'set-props',
    'enable',
    'disable',
    'delete',
    'add-app',
    'remove-app',
    'group',
  ].map((verb) => `adapters ${verb}`),
  ...['enable', 'disable', 'delete', 'generate', 'import', 'set-credentials'].map(
    (verb) => `mappings ${verb}`,
  ),
  ...['unlock', 'force-change', 'import', 'one-time-link'].map((verb) => `identities ${verb}`),
  'sso import',
  ...['status', 'generate', 'backup', 'restore', 'rotate'].map((verb) => `sso secret ${verb}`),
];

interface Facts {
  readonly change: string;
  readonly file: string;
  readonly key: string;
  readonly rotated: string;
  readonly socket: string;
  /** Where the API answers /metrics. */
  readonly ops: string;
}

/** Runs a command in this process, because there are many commands and a start takes a third of a second. */
async function runHere(args: readonly string[]) {
  const printed = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((stream) =>
    jest.spyOn(process[stream], 'write').mockImplementation((text) => {
      printed[stream] += String(text);
      return true;
    }),
  );
  const code = await run(args);
  for (const spy of spies) spy.mockRestore();
  process.exitCode = undefined;
  return { code, ...printed };
}

async function helpOf(name: readonly string[]): Promise<{ code: number; shown: string }> {
  const { code, stdout } = await runHere([...name, '--help']);
  return { code, shown: stdout };
}

async function commandsIn(name: readonly string[]): Promise<string[]> {
  const { shown } = await helpOf(name);
  const [, list = ''] = /\nCommands:\n([\s\S]*?)(?:\n\n|$)/.exec(shown) ?? [];
  const names = [...list.matchAll(/^ {2}([\w-]+)/gm)].map(([, name]) => name ?? '');
  // Commands that run until a signal stops them are left out.
  return names.filter((name) => !['help', 'up', 'run'].includes(name));
}

test('every command of the command line is in the table of this test', async () => {
  const nouns = [
    ...['identities', 'keys', 'blocklist', 'sources', 'groups', 'captures', 'relay', 'connector'],
    ...['sso', 'notices', 'configuration', 'applications', 'adapters', 'mappings'],
  ];
  const nested = [...nouns, 'relay setup', 'sso secret'];
  const all = await commandsIn([]);
  for (const noun of [...nested, 'audit'])
    all.push(...(await commandsIn(noun.split(' '))).map((verb) => `${noun} ${verb}`));
  expect(all.filter((name) => !nested.includes(name)).sort()).toEqual(
    [...Object.keys(commands), ...testedElsewhere].sort(),
  );
});

test.each(['', ...Object.keys(commands), ...testedElsewhere])(
  '--help shows an example and the exit codes: lockstep %s',
  async (name) => {
    const { code, shown } = await helpOf(name.split(' ').filter(Boolean));
    expect(code).toBe(0);
    expect(shown).toMatch(/\nExamples?:\n {2}lockstep |\nExamples:\n {2}pass show/);
    expect(shown).toMatch(/\nExit codes:\n {2}0 {2}/);
  },
);

describeWith(['postgres'], 'every command with an API', () => {
  let api: TestApi;
  let facts: Facts;
  let relay: HandOverListener;
  const here = lockstepAt(() => api);

  beforeAll(async () => {
    api = await startTestApi();
    await applyTestConfiguration(api.database.db);
    await addPerson(api.database.db, 'alice');
    await addPerson(api.database.db, 'dora');
    const file = path.join(mkdtempSync(path.join(os.tmpdir(), 'lockstep-cli-')), 'lockstep.yaml');
    writeFileSync(file, 'version: 1\npolicies: { staff: { minLength: 12 } }\n');
    const newKey = async () =>
      String(
        (await api.send('POST', '/v1/keys', { body: { name: 'x', scopes: ['read'] } })).body.id,
      );
    const socket = path.join(path.dirname(file), 'capture.sock');
    relay = await listenForCaptures(socket, 0o600, async () => null);
    const change = await acceptedChange(api, 'alice');
    facts = { change, file, key: await newKey(), rotated: await newKey(), socket, ops: api.opsUrl };
  });
  afterAll(async () => {
    await relay.close();
    await api.stop();
  });

  /** Does jobs as a worker would until the command has ended. */
  async function worker(over: () => boolean): Promise<void> {
    while (!over()) {
      await reportPresence(api.database.db, 'test');
      const job = await claimJob(api.database.db, 60);
      const sample = { count: 0, first: [] };
      const result = {
        findings: [],
        read: 0,
        unmatched: sample,
        ambiguous: sample,
        unreadable: sample,
        failed: null,
        ...{ intact: true, from: null, to: null, keyedFrom: null, anchored: null, unchained: 0 },
        problem: null,
      };
      if (job !== null) await finishJob(api.database.db, job.id, 'done', result);
    }
  }

  // The command apply runs last, because it removes the sources that the others need.
  const names = Object.keys(commands).sort((a) => (a === 'apply' ? 1 : -1));

  test.each(names)('-o json prints exactly one document to stdout: lockstep %s', async (name) => {
    const args = [...name.split(' '), ...(commands[name]?.(facts) ?? []), '-o', 'json'];
    const { code, stdout } = await here(args, {
      stdin: 'correct horse battery staple',
      during: ({ over }) => worker(over),
    });
    expect([0, 4]).toContain(code);
    expect(typeof JSON.parse(stdout)).toBe('object');
  });

  // A support bundle is made without the API, too.
  const offline = ['blocklist build', 'relay setup outbox', 'relay hand-over', 'support-bundle'];
  const online = names.filter((name) => !offline.includes(name));

  test.each(online)(
    '-o json prints exactly one document if the API refuses the key: lockstep %s',
    async (name) => {
      const file = { key: `${facts.file}.key`, password: `${facts.file}.password` };
      writeFileSync(file.key, KEY, { mode: 0o600 });
      writeFileSync(file.password, 'correct horse battery staple', { mode: 0o600 });
      const args = [...name.split(' '), ...(commands[name]?.(facts) ?? [])];
      if (name === 'change') args.push('--password-file', file.password);
      const { code, stdout, stderr } = await runHere([
        ...args,
        ...['-o', 'json', '--url', api.url, '--key-file', file.key],
      ]);
      expect(code).toBe(1);
      expect(JSON.stringify(JSON.parse(stdout))).toContain('The API key is missing or not valid');
      expect(stdout + stderr).not.toMatch(/ {4}at |Error:/);
    },
  );

  test('an unknown command and wrong arguments exit with 2', async () => {
    for (const args of [['nothing'], ['changes', 'x'], ['changes', '--limit', 'x'], ['status'], []])
      expect([args, (await here(args)).code]).toEqual([args, 2]);
  });
});

describe('a command without an API', () => {
  test('a misspelt variable is reported, with the one that was probably meant', async () => {
    const { stderr } = await lockstep(['changes'], {
      env: { LOCKSTEP_ULR: 'https://lockstep.example.com', LOCKSTEP_API_KEY: KEY },
    });
    expect(stderr).toContain('LOCKSTEP_ULR is set, but');
    expect(stderr).toContain('Did you mean LOCKSTEP_URL?');
  });

  test.each([['sources'], ['relay', 'run', '--config', '/nothing'], ['up', '--json']])(
    'a variable that is not valid is reported, and the command exits with 2: lockstep %s',
    async (...args) => {
      const { code, stderr } = await lockstep(args, { env: { LOCKSTEP_LOG_LEVEL: 'loud' } });
      expect([code, stderr]).toEqual([2, expect.stringContaining('LOCKSTEP_LOG_LEVEL')]);
    },
  );

  test('lockstep --version prints the version in package.json', async () => {
    const { code, stdout } = await lockstep(['--version']);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/)]);
  });

  test('a command exits with 1 and says what to do if nothing answers at the address', async () => {
    const LOCKSTEP_URL = `http://127.0.0.1:${await freePort()}`;
    const { code, stderr } = await lockstep(['changes'], {
      env: { LOCKSTEP_URL, LOCKSTEP_API_KEY: KEY },
    });
    expect([code, stderr]).toEqual([
      1,
      `Nothing answers at ${LOCKSTEP_URL}. Start Lockstep with "./lockstep up", or set LOCKSTEP_URL (or --url) to the address of the API.\n`,
    ]);
  });

  test.each([
    ['a web site', 200, 'text/html', '<h1>canary</h1>'],
    ['a redirect', 302, 'text/html', ''],
    ['another api', 404, 'application/json', '{"message":"canary"}'],
    ['a proxy', 502, 'text/html', 'canary'],
  ])(
    'a command exits with 1 and says so if %s answers instead of the API',
    async (_what, status, type, body) => {
      const server = createServer((_request, response) =>
        response.writeHead(status, { 'content-type': type, location: '/elsewhere' }).end(body),
      );
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const LOCKSTEP_URL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const { code, stderr } = await lockstep(['changes'], {
        env: { LOCKSTEP_URL, LOCKSTEP_API_KEY: KEY },
      });
      server.close();
      expect([code, stderr]).toEqual([
        1,
        `${LOCKSTEP_URL} answers, but it is not the API of Lockstep (HTTP ${status}). Check LOCKSTEP_URL or --url.\n`,
      ]);
    },
  );

  test('lockstep change says that the change may be accepted if the connection breaks before the answer', async () => {
    const server = createServer((request) => request.socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const LOCKSTEP_URL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { code, stderr } = await lockstep(['change', 'alice', '--idempotency-key', 'mine'], {
      env: { LOCKSTEP_URL, LOCKSTEP_API_KEY: KEY },
      stdin: 'correct horse battery staple',
    });
    server.close();
    expect(code).toBe(1);
    expect(stderr).toContain('The change may have been accepted');
    expect(stderr).toContain('--idempotency-key mine');
  });

  test('a command names the environment variable that is not valid', async () => {
    const { code, stderr } = await lockstep(['changes'], { env: { LOCKSTEP_URL: 'nonsense' } });
    expect([code, stderr]).toEqual([2, expect.stringContaining('LOCKSTEP_URL')]);
  });
});
