import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { inheritedEnvironment } from '../../config';
import { isRoot } from '../../local/places';
import { type RunningServer, startServer } from '../../local/processes';
import { createScanner } from '../support/canary';
import { describeWith } from '../support/servers';

const root = path.resolve(__dirname, '../..');
const pages = ['README.md', 'CONTRIBUTING.md'].concat(
  readdirSync(path.join(root, 'docs'))
    .filter((file) => file.endsWith('.md'))
    .map((file) => path.join('docs', file)),
);
const text = pages.map((page) => readFileSync(path.join(root, page), 'utf8')).join('\n');

/** Commands in the docs: the lines of shell blocks, and `./lockstep …` commands inside sentences. */
const documented = new Set(
  [
    ...[...text.matchAll(/^ *```sh\n(.*?)^ *```$/gms)].flatMap(([, block = '']) =>
      block.split('\n'),
    ),
    ...Array.from(text.matchAll(/`(\.\/lockstep [^`]+)`/g), ([, command = '']) => command),
  ]
    .map((line) => line.trim())
    .filter((line) => line !== ''),
);

/** Commands that this file does not run, each with the test file that runs it. */
const coveredElsewhere: Readonly<Record<string, string>> = {
  'npm start': 'test/scripts/setup.test.ts',
  'npm test': 'test/scripts/setup.test.ts',
  'mkdir -p /tmp/lockstep-example': 'test/cli/connector.test.ts',
  'cp docs/examples/htpasswd.py /tmp/lockstep-example/': 'test/cli/connector.test.ts',
  "echo 'throwaway:*' > /tmp/lockstep-example/people": 'test/cli/connector.test.ts',
  './lockstep connector test wiki -f docs/examples/wiki.yaml --account throwaway --find name=throwaway':
    'test/cli/connector.test.ts',
  './lockstep --url https://lockstep.example.com relay register warehouse --dir /var/lib/lockstep-relay':
    'test/e2e/relay.test.ts',
  './lockstep relay run --config /var/lib/lockstep-relay/relay.json': 'test/e2e/relay.test.ts',
  './lockstep relay setup outbox --engine postgres --table app.users --account-column login --password-column password_hash':
    'test/capture/outbox-setup.test.ts',
  'cc -O2 -fPIC -shared -o lockstep_check.so capture/shims/openldap/lockstep_check.c':
    'test/capture/openldap.test.ts',
  'cc -O2 -fPIC -shared -o pam_lockstep.so capture/shims/pam/pam_lockstep.c':
    'test/capture/pam.test.ts',
  'x86_64-w64-mingw32-gcc -O2 -s -shared -nostartfiles -e DllMain -o lockstep_notify.dll capture/shims/windows/lockstep_notify.c capture/shims/windows/lockstep_notify.def':
    'test/capture/windows.test.ts',
  'samba-tool user syncpasswords --cache-ldb-initialize --decrypt-samba-gpg --script=/usr/local/lib/lockstep/lockstep-samba.py --attributes=objectGUID,sAMAccountName,userAccountControl,pwdLastSet,msDS-KeyVersionNumber,virtualClearTextUTF8':
    'test/capture/samba.test.ts',
  'samba-tool user syncpasswords': 'test/capture/samba.test.ts',
  './lockstep relay setup samba --config /var/lib/lockstep-relay/relay.json':
    'test/capture/samba-setup.test.ts',
  './lockstep relay setup samba --config /var/lib/lockstep-relay/relay.json --hash sha512-crypt':
    'test/capture/samba-setup.test.ts',
  './lockstep stale --look': 'test/cli/output.test.ts',
};

interface Step {
  readonly command: string;
  readonly says: RegExp;
}

/** Commands that a newcomer runs while the demo runs. */
const steps: readonly Step[] = [
  { command: './lockstep --help', says: /^Commands:$/m },
  { command: './lockstep plan -f .lockstep/demo/lockstep.yaml', says: /^Nothing to do/ },
  { command: './lockstep apply -f .lockstep/demo/lockstep.yaml --yes', says: /^Nothing to do/ },
  { command: './lockstep doctor', says: /^Nothing is wrong/m },
  { command: './lockstep doctor corp-directory', says: /^Nothing is wrong/m },
  { command: './lockstep sources', says: /corp-directory +ldap +up/ },
  { command: './lockstep sources pause corp-directory', says: /corp-directory +ldap +paused/ },
  { command: './lockstep sources resume corp-directory', says: /corp-directory +ldap +up/ },
  { command: './lockstep refresh corp-directory --preview', says: /20 accounts read/ },
  { command: './lockstep refresh corp-directory', says: /20 were linked before/ },
  { command: './lockstep identities show ada.marsh', says: /ada\.marsh@harborlane\.example/ },
  {
    command: './lockstep change ada.marsh --password-file new-password.txt',
    says: /5 of 5/,
  },
  { command: './lockstep status last', says: /warehouse/ },
  { command: './lockstep stale', says: /^No account is known to be stale/ },
  { command: './lockstep captures', says: /^No relay/ },
  { command: './lockstep captures stop', says: /^No source takes captures/ },
  { command: './lockstep captures start', says: /^No source takes captures/ },
  { command: './lockstep captures set-startpoint end', says: /^No source takes captures/ },
  { command: './lockstep graph --out bloodhound --schema', says: /lockstep-hybrid\.json/ },
  { command: './lockstep graph --svg lockstep.svg', says: /lockstep\.svg/ },
  { command: './lockstep keys create okta --scope capture --group one-password', says: /^lks_/m },
  { command: './lockstep keys create help-desk --scope trigger,read', says: /^lks_[\w-]+$/m },
  { command: './lockstep keys list', says: /help-desk/ },
];

/** Commands that need a waiting account. */
const stepsWhileWaiting: readonly Step[] = [
  { command: './lockstep changes --state waiting', says: /finn\.larsen/ },
  { command: './lockstep sources retry corp-directory', says: /^Asked to retry 0 accounts/ },
  { command: './lockstep park last', says: /^Asked to park every waiting account/ },
  { command: './lockstep retry last', says: /^Asked to try every waiting account/ },
  { command: './lockstep cancel last', says: /^Asked to stop/ },
];

test('the tests run exactly the commands that the docs show', () => {
  const run = [...steps, ...stepsWhileWaiting].map(({ command }) => command);
  expect([...run, ...Object.keys(coveredElsewhere)].sort()).toEqual([...documented].sort());
  for (const file of Object.values(coveredElsewhere))
    expect([file, existsSync(path.join(root, file))]).toEqual([file, true]);
});

test('every npm script that the docs name exists', () => {
  const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const named = Array.from(text.matchAll(/`npm (?:run )?([\w-]+)[^`]*`/g), ([, name]) => name);
  expect(named.length).toBeGreaterThan(5);
  for (const name of named) expect(Object.keys(scripts)).toContain(name);
});

describeWith(['temporal', 'postgres', 'slapd'], 'while the demo runs', () => {
  const password = 'Straße "20 Pferde" \\ 4% Öl';
  let dir: string;
  let demo: RunningServer | undefined;

  beforeAll(async () => {
    expect(await run('npm run build', root)).toMatchObject({ code: 0 });
    dir = newcomersFolder();
    writeFileSync(path.join(dir, 'new-password.txt'), `${password}\n`);
    demo = await startDemo(dir);
  }, 300_000);
  afterAll(async () => {
    await demo?.stop();
    rmSync(dir, { recursive: true });
  }, 60_000);

  test('the build creates every program that the docs start', () => {
    const programs = Array.from(text.matchAll(/`node ([\w/]+\.js)`/g), ([, file = '']) => file);
    expect(programs).toHaveLength(2);
    for (const file of programs)
      expect([file, existsSync(path.join(root, file))]).toEqual([file, true]);
  });

  test.each(steps)('the documented command "$command" works', async ({ command, says }) => {
    expect(await run(command, dir)).toEqual({ code: 0, output: expect.stringMatching(says) });
  });

  describe('and an account waits', () => {
    let crm: Client;
    beforeAll(async () => {
      crm = new Client({ connectionString: crmUrl(dir) });
      await crm.connect();
      await crm.query('begin');
      await crm.query('lock table crm_user');
      const change = './lockstep change finn.larsen --password-file new-password.txt --wait 1';
      expect(await run(change, dir)).toMatchObject({ code: 4 });
      await waiting();
    }, 120_000);
    afterAll(() => crm?.end());

    async function waiting(): Promise<void> {
      while (
        !(await run('./lockstep changes --state waiting', dir)).output.includes('finn.larsen')
      );
    }

    test.each(stepsWhileWaiting)(
      'the documented command "$command" works',
      async ({ command, says }) => {
        expect(await run(command, dir)).toEqual({ code: 0, output: expect.stringMatching(says) });
      },
    );
  });

  test('the password of the file is in no file that the demo keeps', async () => {
    const scanner = createScanner({ password });
    await scanner.folder('.lockstep', path.join(dir, '.lockstep'));
    expect(scanner.findings).toEqual([]);
    expect(scanner.searched.size).toBeGreaterThan(1_000);
  });

  test('Ctrl-C ends the demo without an error', async () => {
    await demo?.stop();
    expect(readFileSync(path.join(dir, 'demo.log'), 'utf8')).not.toMatch(/error/i);
    expect((await run('./lockstep changes', dir)).code).toBe(1);
  }, 60_000);
});

/** A folder that looks like a clone, so that the files of its demo are separate from those of this clone. */
function newcomersFolder(): string {
  // PostgreSQL runs as the user nobody, which must be able to enter this folder.
  const dir = mkdtempSync(path.join(isRoot ? '/var/tmp' : os.tmpdir(), 'lockstep-newcomer-'));
  chmodSync(dir, 0o755);
  for (const name of ['lockstep', 'scripts'])
    symlinkSync(path.join(root, name), path.join(dir, name));
  return dir;
}

function startDemo(dir: string): Promise<RunningServer> {
  const logFile = path.join(dir, 'demo.log');
  return startServer({
    name: 'the demo',
    command: process.execPath,
    args: [path.join(root, 'dist/cli/main.js'), 'up', '--demo', '--state-dir', '.lockstep'],
    cwd: dir,
    env: inheritedEnvironment(),
    logFile,
    stopSignal: 'SIGINT',
    ready: async () => readFileSync(logFile, 'utf8').includes('Ctrl-C stops everything'),
    readyTimeoutMs: 240_000,
  });
}

/** URL for the superuser, to the database of the company. */
function crmUrl(dir: string): string {
  const server = path.join(dir, '.lockstep', 'postgres');
  const read = (file: string) => readFileSync(path.join(server, file), 'utf8');
  const url = new URL('postgres://lockstep@127.0.0.1/harborlane?sslmode=verify-full');
  url.password = read('password');
  url.port = read('data/postmaster.pid').split('\n')[3] ?? '';
  url.searchParams.set('sslrootcert', path.join(server, 'tls', 'ca.crt'));
  return url.href;
}

/** Runs a line of the docs in a shell. @returns exit code and all output */
async function run(line: string, cwd: string): Promise<{ code: number | null; output: string }> {
  const child = spawn('sh', ['-c', line], { cwd, env: inheritedEnvironment(), stdio: 'pipe' });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk) => {
      output += chunk;
    });
  child.stdin.end();
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, output };
}
