import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Client as LdapClient } from 'ldapts';
import { Client as PgClient } from 'pg';
import { parse } from 'yaml';
import { appsDn, corpDn, HERO, HERO_SECOND_ACCOUNT } from '../../local/demo/company';
import { isRoot } from '../../local/places';
import { type Run, start } from '../scripts/clone';
import { longTest } from '../support/long';
import { describeWith } from '../support/servers';
import { until } from '../support/until';

const MINUTES = 60_000;
const main = path.resolve(__dirname, '../../dist/cli/main.js');

/** Runs the command that `npm start` starts, as a person would. */
describeWith(['slapd', 'postgres', 'temporal'], 'lockstep up --demo', () => {
  const dir = mkdtempSync(path.join(isRoot ? '/var/tmp' : os.tmpdir(), 'lockstep-up-'));
  // Servers that run as the user nobody must be able to enter this folder.
  chmodSync(dir, 0o755);
  const stateDir = path.join(dir, 'state');
  const running = new Set<Run>();

  const fileWith = (name: string, content: string) => {
    writeFileSync(path.join(dir, name), content, { mode: 0o600 });
    return path.join(dir, name);
  };
  const newPassword = () => `A new one for everybody ${randomBytes(6).toString('hex')}`;

  const up = (...options: string[]): Run => {
    const args = ['up', '--demo', '--json', '--state-dir', stateDir, ...options];
    const run = start(process.execPath, [main, ...args], dir);
    running.add(run);
    void run.ended.then(() => running.delete(run));
    return run;
  };
  const signal = ({ child }: Run, name: NodeJS.Signals) => process.kill(-(child.pid ?? 0), name);

  afterEach(async () => {
    for (const run of running) signal(run, 'SIGKILL');
    await until(() => processesOf(dir).length === 0);
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  const proved = [
    { source: 'corp-directory', account: corpDn(HERO) },
    { source: 'apps-directory', account: appsDn(HERO) },
    { source: 'apps-directory', account: appsDn(HERO_SECOND_ACCOUNT) },
    { source: 'warehouse', account: HERO },
    { source: 'crm', account: `${HERO}@harborlane.example` },
  ].map((account) => ({ ...account, outcome: 'applied', proved: true }));

  const resultIn = (stdout: string) => JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
  const done = {
    ok: true,
    changeId: expect.stringMatching(/^chg_/),
    state: 'done',
    accounts: proved,
    readySeconds: expect.any(Number),
  };

  test(
    '--once verifies five accounts, prints the result as the last line, and leaves no process',
    async () => {
      const file = fileWith('password', `${newPassword()}\n`);
      const { code, stdout } = await up('--once', '--password-file', file).ended;
      expect(resultIn(stdout)).toEqual(done);
      expect(code).toBe(0);
      expect(processesOf(dir)).toEqual([]);
    },
    MINUTES * 2,
  );

  test(
    'a second start runs api, worker and lookup service on the data of the first, the person can log in, and Ctrl-C ends everything',
    async () => {
      const password = newPassword();
      const run = up('--password-file', fileWith('password', password));
      const [line] = await run.printed(/^{.*}$/m);
      expect(JSON.parse(line)).toEqual(done);
      expect(await readinessIn(stateDir)).toEqual(['ready\n', 'ready\n', 'ready\n']);
      expect(await changesKeptIn(stateDir)).toBe(2);
      expect(await logins(stateDir, password)).toEqual([true, true, true, true]);
      expect(await logins(stateDir, `${password}!`)).toEqual([false, false, false, false]);
      const second = await up('--once').ended;
      expect(second).toMatchObject({ code: 1, stderr: expect.stringContaining('is up already') });
      signal(run, 'SIGINT');
      expect((await run.ended).code).toBe(0);
      expect(processesOf(dir)).toEqual([]);
    },
    MINUTES * 2,
  );

  test(
    '--fresh starts with empty data, and a launcher that is killed leaves no server running',
    async () => {
      const run = up('--fresh');
      await run.printed(/^{.*}$/m);
      expect(await changesKeptIn(stateDir)).toBe(1);
      run.child.kill('SIGKILL');
      await until(() => processesOf(dir).length === 0);
    },
    MINUTES * 2,
  );

  longTest(
    'two demos can run at the same time in separate folders',
    async () => {
      const runs = ['one', 'other'].map((name) =>
        up('--once', '--state-dir', path.join(dir, name)),
      );
      const ended = await Promise.all(runs.map((run) => run.ended));
      const ways = ended.map(({ code, stderr }) => (code === 0 ? 'ended well' : stderr));
      expect(ways).toEqual(['ended well', 'ended well']);
      expect(ended.map(({ stdout }) => resultIn(stdout))).toEqual([done, done]);
    },
    MINUTES * 3,
  );

  test.each([
    ['breaks the policy', () => fileWith('short', 'too short\n'), 1, 'Use at least 15 characters'],
    ['is empty', () => fileWith('empty', ''), 2, 'holds no password'],
    ['is not there', () => path.join(dir, 'nothing'), 2, 'cannot be opened'],
  ])(
    'a password file that %s is reported, and the demo ends',
    async (_what, file, code, says) => {
      const ended = await up('--once', '--password-file', file()).ended;
      expect(ended).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(says) });
      expect(processesOf(dir)).toEqual([]);
    },
    MINUTES * 2,
  );
});

/** Processes whose arguments, environment or working directory name the folder. */
function processesOf(dir: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid) || pid === String(process.pid)) return false;
    return [
      () => readFileSync(`/proc/${pid}/cmdline`, 'utf8'),
      () => readFileSync(`/proc/${pid}/environ`, 'utf8'),
      () => readlinkSync(`/proc/${pid}/cwd`),
    ].some((read) => {
      try {
        return read().includes(dir);
      } catch {
        // The process has ended, or belongs to another user.
        return false;
      }
    });
  });
}

/** The answers of `/readyz` of api, worker and lookup service. */
async function readinessIn(stateDir: string): Promise<string[]> {
  const { ops } = JSON.parse(readFileSync(path.join(stateDir, 'cli.json'), 'utf8'));
  return Promise.all((ops as string[]).map(async (url) => (await fetch(`${url}/readyz`)).text()));
}

async function changesKeptIn(stateDir: string): Promise<number> {
  const { url, keyFile } = JSON.parse(readFileSync(path.join(stateDir, 'cli.json'), 'utf8'));
  const response = await fetch(`${url}/v1/changes`, {
    headers: { authorization: `Bearer ${readFileSync(keyFile, 'utf8').trim()}` },
  });
  const { changes } = (await response.json()) as { changes: unknown[] };
  return changes.length;
}

/** Whether the person of the demo can log in to each system, at the addresses in the configuration. */
function logins(stateDir: string, password: string): Promise<boolean[]> {
  const { sources } = parse(readFileSync(path.join(stateDir, 'demo', 'lockstep.yaml'), 'utf8'));
  const dns = [corpDn(HERO), appsDn(HERO), appsDn(HERO_SECOND_ACCOUNT)];
  return Promise.all([
    ...dns.map((dn) => bind(sources['corp-directory'].settings, dn, password)),
    connect(sources.warehouse.settings, HERO, password),
  ]);
}

async function bind(
  { url, ca }: { url: string; ca: string },
  dn: string,
  password: string,
): Promise<boolean> {
  const client = new LdapClient({ url, tlsOptions: { ca: [readFileSync(ca)] } });
  const accepted = await client.bind(dn, password).then(
    () => true,
    () => false,
  );
  await client.unbind();
  return accepted;
}

async function connect(
  { port, ca }: { port: number; ca: string },
  user: string,
  password: string,
): Promise<boolean> {
  const ssl = { ca: readFileSync(ca), servername: 'localhost' };
  const client = new PgClient({
    host: '127.0.0.1',
    port,
    user,
    password,
    database: 'postgres',
    ssl,
  });
  const accepted = await client.connect().then(
    () => true,
    () => false,
  );
  await client.end();
  return accepted;
}
