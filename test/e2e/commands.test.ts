import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { parse, stringify } from 'yaml';
import { inheritedEnvironment } from '../../config';
import { isRoot } from '../../local/places';
import { type RunningServer, startServer } from '../../local/processes';
import { createScanner } from '../support/canary';
import { pages, readRepositoryFile } from '../support/pages';
import { describeWith } from '../support/servers';

const root = path.resolve(__dirname, '../..');
const text = pages.map(readRepositoryFile).join('\n');

/** Every line of a `sh` block in the docs, and every `./lockstep` command inside a sentence. */
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

/** The test that runs a documented command which this file does not run. */
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
  '/usr/bin/python3 /usr/local/lib/lockstep/samba-reader/main.py --socket /var/lib/lockstep-relay/run/capture.sock':
    'test/capture/samba.test.ts',
  './lockstep relay setup samba --config /var/lib/lockstep-relay/relay.json':
    'test/capture/samba-setup.test.ts',
  './lockstep relay setup samba --config /var/lib/lockstep-relay/relay.json --hash sha512-crypt':
    'test/capture/samba-setup.test.ts',
  './lockstep sources try wiki': 'test/cli/connect.test.ts',
  './lockstep sso secret generate': 'test/cli/sso-secret.test.ts',
  './lockstep sso secret backup master-keys.backup': 'test/cli/sso-secret.test.ts',
  './lockstep sso secret restore master-keys.backup': 'test/cli/sso-secret.test.ts',
  './lockstep sso secret rotate': 'test/cli/sso-secret.test.ts',
  './lockstep sso secret backup': 'test/cli/sso-secret.test.ts',
  './lockstep adapters set-props racf --set retryCount=3 --set maxPending=16':
    'test/cli/adapters.test.ts',
  './lockstep stale --look': 'test/cli/output.test.ts',
  './lockstep identities force-change ada.marsh --source corp-directory --reason "ticket 4711"':
    'test/cli/account-actions.test.ts',
  './lockstep identities one-time-link ada.marsh --check called-back --reason "ticket 4711"':
    'test/cli/account-actions.test.ts',
  './lockstep identities delete alice': 'test/cli/output.test.ts',
  './lockstep identities import people.csv --dry-run': 'test/cli/identities-import.test.ts',
  './lockstep identities import people.ldif --source corp-directory --attribute mail --yes':
    'test/cli/identities-import.test.ts',
  './lockstep notices test mail': 'test/cli/notices.test.ts',
  './lockstep applications create reports --source warehouse --label "Monthly reports"':
    'test/cli/applications.test.ts',
  './lockstep applications update reports --set enabled=no': 'test/cli/applications.test.ts',
  './lockstep applications delete reports': 'test/cli/applications.test.ts',
  './lockstep adapters create warehouse --application reports': 'test/cli/adapters.test.ts',
  './lockstep adapters add-app warehouse reports': 'test/cli/adapters.test.ts',
  './lockstep adapters show warehouse': 'test/cli/adapters.test.ts',
  './lockstep adapters update warehouse --set syncToAdapter=yes': 'test/cli/adapters.test.ts',
  './lockstep adapters enable warehouse': 'test/cli/adapters.test.ts',
  './lockstep sso switches --set windowsToAdapters=on': 'test/cli/adapters.test.ts',
  './lockstep adapters update warehouse --set syncFromAdapter=yes': 'test/cli/adapters.test.ts',
  './lockstep sso switches --set adaptersToStore=on': 'test/cli/adapters.test.ts',
  './lockstep adapters update warehouse --set changeWindowsPassword=yes':
    'test/cli/adapters.test.ts',
  './lockstep sso switches --set adaptersToWindows=on': 'test/cli/adapters.test.ts',
  './lockstep adapters group warehouse databases': 'test/cli/adapters.test.ts',
  './lockstep adapters enable --group databases': 'test/cli/adapters.test.ts',
  './lockstep adapters list --group databases': 'test/cli/adapters.test.ts',
  './lockstep adapters disable --group databases': 'test/cli/adapters.test.ts',
  './lockstep adapters group warehouse --none': 'test/cli/adapters.test.ts',
  './lockstep adapters reset warehouse': 'test/cli/adapters.test.ts',
  './lockstep adapters remove-app reports': 'test/cli/adapters.test.ts',
  './lockstep adapters disable warehouse': 'test/cli/adapters.test.ts',
  './lockstep adapters delete warehouse': 'test/cli/adapters.test.ts',
  './lockstep mappings enable alice reports': 'test/cli/mappings.test.ts',
  './lockstep mappings import mappings.csv --dry-run': 'test/cli/mappings-import.test.ts',
  './lockstep mappings import mappings.csv': 'test/cli/mappings-import.test.ts',
  './lockstep mappings generate reports --from mail --strip-domain --case upper --limit 8 --dry-run':
    'test/cli/mappings-import.test.ts',
  './lockstep mappings set-credentials alice reports': 'test/worker/set-credentials.test.ts',
  './lockstep sso import globalinfo.xml --dry-run': 'test/cli/entsso.test.ts',
  './lockstep applications import applications.xml --source warehouse --dry-run':
    'test/cli/entsso.test.ts',
  './lockstep mappings import mappings.xml --dry-run': 'test/cli/entsso.test.ts',
  './lockstep mappings disable alice reports': 'test/cli/mappings.test.ts',
  './lockstep mappings delete alice reports': 'test/cli/mappings.test.ts',
  'docs/examples/lookup.py http://127.0.0.1:8444 ada.key read wiki': 'test/lookup/clients.test.ts',
  'docs/examples/lookup.py http://127.0.0.1:8444 ada.key ticket wiki | jq -r .ticket > ticket':
    'test/lookup/clients.test.ts',
  'docs/examples/lookup.py http://127.0.0.1:8444 service.key redeem wiki ada.marsh < ticket':
    'test/lookup/clients.test.ts',
  'docs/examples/lookup.py http://127.0.0.1:8444 service.key sign-in mainframe ADA01 < password':
    'test/lookup/clients.test.ts',
};

interface Step {
  readonly command: string;
  /** Matches the output, stdout and stderr together. */
  readonly prints: RegExp;
  /** The command is repeated until it prints that. */
  readonly repeated?: true;
}

/** The documented commands that need nothing but a running demo, in an order in which they work. */
const steps: readonly Step[] = [
  { command: './lockstep --help', prints: /^Commands:$/m },
  { command: './lockstep plan -f .lockstep/demo/lockstep.yaml', prints: /^Nothing to do/ },
  { command: './lockstep apply -f .lockstep/demo/lockstep.yaml --yes', prints: /^Nothing to do/ },
  { command: './lockstep doctor', prints: /^No check failed/m },
  { command: './lockstep doctor corp-directory', prints: /^No check failed/m },
  { command: './lockstep sources', prints: /corp-directory +ldap +up/ },
  {
    command: './lockstep sources kinds ldap',
    prints: /^bindPassword {2}\(a reference to a secret\)$/m,
  },
  {
    command: './lockstep groups show one-password',
    prints: /^one-password: one password for corp-directory, /,
  },
  { command: './lockstep sources pause corp-directory', prints: /corp-directory +ldap +paused/ },
  {
    command: './lockstep sources pause corp-directory --until 30min',
    prints: /corp-directory +ldap +paused.+in (29|30) min/,
  },
  { command: './lockstep sources resume corp-directory', prints: /corp-directory +ldap +up/ },
  { command: './lockstep refresh corp-directory --preview', prints: /20 accounts read/ },
  { command: './lockstep refresh corp-directory', prints: /20 already linked/ },
  { command: './lockstep refresh crm', prints: /15 already linked/ },
  { command: './lockstep identities show ada.marsh', prints: /ada\.marsh@harborlane\.example/ },
  {
    command: './lockstep identities list --search ada.marsh@',
    prints: /^PERSON +ACCOUNTS IN\nada\.marsh +\S/m,
  },
  { command: './lockstep identities list --missing', prints: /^PERSON +ACCOUNTS IN$/m },
  {
    command: './lockstep identities set alice --account warehouse:alice',
    prints: /warehouse +alice +operator/,
  },
  { command: './lockstep change ada.marsh --dry-run', prints: /would write 5 of 5 accounts/ },
  {
    command: './lockstep change ada.marsh --password-file new-password.txt',
    prints: /5 of 5/,
  },
  { command: './lockstep status last', prints: /warehouse/ },
  {
    command: './lockstep identities unlock ada.marsh --reason "ticket 4711"',
    prints: /corp-directory .* The account was not locked/,
  },
  { command: './lockstep status ada.marsh', prints: /warehouse/ },
  { command: './lockstep stale', prints: /^No account is known to be stale/ },
  { command: './lockstep stale --look --source crm', prints: /^No account is known to be stale/ },
  { command: './lockstep changes --state accepted --all', prints: /^No change matches/ },
  { command: './lockstep notices', prints: /^(There is no notice|NOTICE )/ },
  { command: './lockstep captures', prints: /^There is no relay yet/ },
  { command: './lockstep captures stop', prints: /^Captures are not enabled for any source/ },
  { command: './lockstep captures start', prints: /^Captures are not enabled for any source/ },
  {
    command: './lockstep captures set-startpoint end',
    prints: /^Captures are not enabled for any source/,
  },
  { command: './lockstep graph --out bloodhound --schema', prints: /lockstep-hybrid\.json/ },
  { command: './lockstep graph --svg lockstep.svg', prints: /lockstep\.svg/ },
  { command: './lockstep keys create okta --scope capture --group one-password', prints: /^lks_/m },
  {
    command: './lockstep keys create "help desk" --scope help-desk --agent ada.marsh --expires 90d',
    prints: /^lks_[\w-]+$/m,
  },
  {
    command: `./lockstep keys create "ada's desktop" --scope lookup --identity ada.marsh --file ada.key`,
    prints: /^Created key_\w+\. Its key is in ada\.key\.$/m,
  },
  { command: './lockstep identities set wiki.service', prints: /wiki\.service/ },
  {
    command:
      './lockstep keys create "wiki service" --scope lookup --identity wiki.service --file service.key',
    prints: /^Created key_\w+\. Its key is in service\.key\.$/m,
  },
  { command: './lockstep keys list', prints: /ada\.marsh/ },
  { command: './lockstep configuration versions', prints: /^VERSION +APPLIED +BY\n1 / },
  { command: './lockstep configuration show', prints: /^ {2}corp-directory:$/m },
  { command: './lockstep configuration diff 1', prints: /^\+ sources\.corp-directory$/m },
  { command: './lockstep configuration rollback 1 --yes', prints: /^Nothing to do/ },
  { command: './lockstep applications', prints: /^(There is no application|APPLICATION )/ },
  { command: './lockstep adapters', prints: /^(There is no adapter|ADAPTER )/ },
  { command: './lockstep sso secret status', prints: /^key_\w+ +current +no +\d+$/m },
  { command: './lockstep sso status', prints: /^windowsToAdapters +off/ },
  { command: './lockstep mappings', prints: /^(No mapping matches|PERSON )/ },
  {
    command: './lockstep mappings --application reports --state disabled',
    prints: /^No mapping matches/,
  },
  { command: './lockstep audit', prints: /: Created the API key "help desk" with help-desk\./ },
  {
    command: './lockstep audit --person ada.marsh --since 24h',
    prints: /: A new password of ada\.marsh was accepted\./,
  },
  { command: './lockstep audit --action credential.refused', prints: /^No audit record matches/ },
  {
    command: './lockstep audit --action credential.read --person ada.marsh',
    prints: /^No audit record matches/,
  },
  { command: './lockstep audit --action capture --since 4w', prints: /^No audit record matches/ },
  {
    command: './lockstep audit --all --format syslog',
    prints: /^<1(09|10)>1 \S+ \S+ lockstep - \S+ \[/,
  },
  { command: './lockstep audit --after 1 --format jsonl', prints: /^\{"position":2,/ },
  { command: './lockstep audit verify', prints: /^Verified \d+ audit records, from / },
  { command: './lockstep support-bundle', prints: /\d+ files\.$/m },
];

/** The documented commands that need a waiting account. */
const stepsWithWaitingAccount: readonly Step[] = [
  { command: './lockstep changes --state waiting', prints: /finn\.larsen/ },
  { command: './lockstep sources retry corp-directory', prints: /^Requested to retry 0 accounts/ },
  { command: './lockstep sources waiting corp-directory', prints: /^Nothing waits/ },
  { command: './lockstep sources history corp-directory', prints: /^ *In 24 hours: /m },
  {
    command: './lockstep sources retry corp-directory --reason account_locked',
    prints: /^Requested to retry 0 accounts/,
  },
  { command: './lockstep park last', prints: /^Parking of every waiting account requested/ },
  { command: './lockstep retry last', prints: /^Retry of every waiting account requested/ },
  { command: './lockstep cancel last', prints: /^Cancellation requested/ },
];

const RACF = 'python3 docs/examples/racf_adapter.py http://127.0.0.1:8080 racf.key racf racf.txt';

const COPY = 'cp .lockstep/demo/lockstep.yaml lockstep.yaml';

/** The steps of docs/adapters.md in their order, after the source was added to the file. `RACF` runs in the background. */
const adapterSteps: readonly Step[] = [
  { command: './lockstep apply -f lockstep.yaml --yes', prints: /is applied\.$/m },
  {
    command: './lockstep identities set ada.marsh --account racf:ADA --map mainframe=ADA',
    prints: /mainframe/,
  },
  {
    command:
      './lockstep keys create "adapter of racf" --scope adapter --source racf --file racf.key',
    prints: /Its key is in racf\.key\.$/m,
  },
  { command: "echo 'ADA OLDPASS1' > racf.txt", prints: /^$/ },
  { command: RACF, prints: /^$/ },
  { command: './lockstep doctor racf', prints: /The adapter is online\./, repeated: true },
  { command: "printf 'OLDPASS1\\nNEWPASS2\\n' > changed.txt", prints: /^$/ },
  { command: `${RACF} ADA < changed.txt`, prints: /^20[02] .*chg_/m },
  { command: './lockstep status last', prints: /, ended [\s\S]*racf.* ADA +holds/, repeated: true },
  {
    command: './lockstep change ada.marsh --password-file new-password.txt',
    prints: /racf: The account holds the password as the filter of its source rewrites it/,
  },
];

test('every command in the docs is run by a test, and the table of commands has no other', () => {
  const run = [...steps, ...stepsWithWaitingAccount, ...adapterSteps].map(({ command }) => command);
  const all = new Set([COPY, ...run, ...Object.keys(coveredElsewhere)]);
  expect([...all].sort()).toEqual([...documented].sort());
  for (const file of Object.values(coveredElsewhere))
    expect([file, existsSync(path.join(root, file))]).toEqual([file, true]);
});

test('every npm script that the docs name is in package.json', () => {
  const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const named = Array.from(text.matchAll(/`npm (?:run )?([\w-]+)[^`]*`/g), ([, name]) => name);
  expect(named.length).toBeGreaterThan(5);
  for (const name of named) expect(Object.keys(scripts)).toContain(name);
});

describeWith(
  ['temporal', 'postgres', 'slapd'],
  'the documented commands, next to a running demo',
  () => {
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
      expect(new Set(programs).size).toBe(3);
      for (const file of programs)
        expect([file, existsSync(path.join(root, file))]).toEqual([file, true]);
    });

    test.each(steps)('the command "$command" works', async ({ command, prints }) => {
      expect(await run(command, dir)).toEqual({ code: 0, printed: expect.stringMatching(prints) });
    });

    describe('while an account waits', () => {
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
          !(await run('./lockstep changes --state waiting', dir)).printed.includes('finn.larsen')
        );
      }

      test.each(stepsWithWaitingAccount)(
        'the command "$command" works',
        async ({ command, prints }) => {
          expect(await run(command, dir)).toEqual({
            code: 0,
            printed: expect.stringMatching(prints),
          });
        },
      );
    });

    test('the steps of the page about adapters work as they are written', async () => {
      writeFileSync(path.join(dir, 'new-password.txt'), 'another long 2nd word\n');
      expect(await run(COPY, dir)).toEqual({ code: 0, printed: '' });
      addRacf(path.join(dir, 'lockstep.yaml'));
      const { url } = JSON.parse(readFileSync(path.join(dir, '.lockstep/cli.json'), 'utf8'));
      let adapter: ChildProcess | undefined;
      try {
        for (const { command, prints, repeated } of adapterSteps) {
          // Another clone may use the documented port, so that the demo uses another one.
          const line = command.replace('http://127.0.0.1:8080', url);
          if (command === RACF) {
            adapter = spawn('sh', ['-c', `exec ${line} > racf.log 2>&1`], { cwd: dir });
            continue;
          }
          let done = await run(line, dir);
          while (repeated && !prints.test(done.printed)) done = await run(line, dir);
          expect({ command, ...done }).toEqual({
            ...{ command, code: 0, printed: expect.stringMatching(prints) },
          });
        }
        expect(readFileSync(path.join(dir, 'racf.txt'), 'utf8')).toBe('ADA ANOTHERL\n');
        expect(readFileSync(path.join(dir, 'racf.log'), 'utf8')).toMatch(
          /^ADA: applied +recorded$/m,
        );
      } finally {
        adapter?.kill();
      }
    }, 120_000);

    test('no file of the demo contains the password that a command read from a file', async () => {
      const scanner = createScanner({ password });
      await scanner.folder('.lockstep', path.join(dir, '.lockstep'));
      expect(scanner.findings).toEqual([]);
      expect(scanner.searched.size).toBeGreaterThan(1_000);
    });

    test('Ctrl-C stops the demo without an error in its log', async () => {
      await demo?.stop();
      expect(readFileSync(path.join(dir, 'demo.log'), 'utf8')).not.toMatch(/error/i);
      expect((await run('./lockstep changes', dir)).code).toBe(1);
    }, 60_000);
  },
);

/** A folder that looks like a clone, so that its demo is separate from the demo of this clone. */
function newcomersFolder(): string {
  // As root, PostgreSQL runs as the user `nobody`, who must be able to enter the folder.
  const dir = mkdtempSync(path.join(isRoot ? '/var/tmp' : os.tmpdir(), 'lockstep-newcomer-'));
  chmodSync(dir, 0o755);
  for (const name of ['lockstep', 'scripts', 'docs'])
    symlinkSync(path.join(root, name), path.join(dir, name));
  return dir;
}

/** Adds to a configuration what the page about adapters shows, and the source to the group. */
function addRacf(file: string): void {
  const [, block = ''] =
    /```yaml\n(.*?)```/s.exec(readRepositoryFile('docs/adapters.md').replaceAll('\n   ', '\n')) ??
    [];
  const added = parse(block);
  const document = parse(readFileSync(file, 'utf8'));
  for (const [section, entries] of Object.entries(added))
    document[section] = { ...document[section], ...(entries as object) };
  document.groups['one-password'].sources.push('racf');
  writeFileSync(file, stringify(document));
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
    listeners: [],
    ready: async () => readFileSync(logFile, 'utf8').includes('Ctrl-C stops everything'),
    readyTimeoutMs: 240_000,
  });
}

/** The URL of the demo company's database, for its superuser. */
function crmUrl(dir: string): string {
  const server = path.join(dir, '.lockstep', 'postgres');
  const read = (file: string) => readFileSync(path.join(server, file), 'utf8');
  const url = new URL('postgres://lockstep@127.0.0.1/harborlane?sslmode=verify-full');
  url.password = read('password');
  url.port = read('data/postmaster.pid').split('\n')[3] ?? '';
  url.searchParams.set('sslrootcert', path.join(server, 'tls', 'ca.crt'));
  return url.href;
}

/** Runs a line of the docs in a shell and waits for its end. */
async function run(line: string, cwd: string): Promise<{ code: number | null; printed: string }> {
  const child = spawn('sh', ['-c', line], { cwd, env: inheritedEnvironment(), stdio: 'pipe' });
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk) => {
      printed += chunk;
    });
  child.stdin.end();
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, printed };
}
