import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdtempSync, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Connection, Client as TemporalClient } from '@temporalio/client';
import { unsealCredential } from '../../store/worker/credentials';
import { openMasterFolder } from '../../store/worker/keys/master-folder';
import { lockstep } from '../cli/run-cli';
import { createScanner, type Scanner } from '../support/canary';
import { hasProcFiles, queryStore, searchLeftovers } from '../support/leftovers';
import { describeWith } from '../support/servers';
import { type Answer, startWatchedCompany, type WatchedCompany } from '../support/watched-company';

const AWKWARD = 'Ä"\'\\%&<>\n=?+';

const PLANTED = 'the one that was planted';

const searchedFor: Record<string, string> = {};

/**
 * Makes a password of 24 characters and adds it to the search. Its end is searched for on its own as well: no program needs to
 * escape that part, so it also finds a password that was truncated or encoded in an unexpected way.
 */
function password(what: string, begin = AWKWARD): string {
  const end = randomBytes(9).toString('base64url');
  searchedFor[what] = begin + end;
  searchedFor[`the end of ${what}`] = end;
  return begin + end;
}

/** Places to which an error in Lockstep could write a password. The last test plants one in each of them. */
const plantedIn: Readonly<Record<string, RegExp>> = {
  'tables of PostgreSQL': /^files\/postgres\/data\/base\//,
  'its write-ahead log': /^files\/postgres\/data\/pg_wal\/[0-9A-F]{24}$/,
  'its log': /^files\/postgres\/postgres\.log$/,
  'the database of Temporal': /^files\/temporal\/temporal\.db(-wal)?$/,
  'the log of the api': /^files\/api\.log$/,
  'the log of the worker': /^files\/worker\.log$/,
  'keys of epochs': /^files\/keys\/epochs\//,
  'rows of the store': /^rows\/lockstep\/outcome$/,
  'histories of the engine': /^histories\/chg_\w+$/,
  'what is packed in them': /^histories\/chg_\w+ decoded$/,
  'answers of the api': /^answers\/GET \/v1\/changes\/\w+$/,
  events: /^answers\/GET \/v1\/changes\/\w+\/events$/,
};
const kinds: typeof plantedIn = {
  ...plantedIn,
  'current details of the engine': /^details\/chg_/,
  'rows of a source': /^rows\/harborlane\/crm_user$/,
  'passwords of database roles': /^rows\/harborlane\/pg_authid$/,
  'files of the directories': /^files\/slapd\/db-.\/data\.mdb$/,
  'output of the command': /^printed\/status/,
  'log lines in a support bundle': /^bundle\/log-1\.jsonl$/,
  'changes in a support bundle': /^bundle\/changes\.json$/,
  'metrics of the api': /^metrics\/api$/,
  'metrics of the worker': /^metrics\/worker$/,
  'metrics of the lookup service': /^metrics\/lookup$/,
  'the log of the lookup service': /^files\/lookup\.log$/,
  ...(hasProcFiles
    ? {
        'the environment of the api': /^processes\/api environ$/,
        'the environment of the worker': /^processes\/worker environ$/,
        'the environment of the lookup service': /^processes\/lookup environ$/,
        'command lines of PostgreSQL': /^processes\/postgres cmdline$/,
        'the command line of Temporal': /^processes\/temporal cmdline$/,
      }
    : {}),
};

describeWith(['temporal', 'postgres', 'slapd'], 'after changes with every kind of end', () => {
  let company: WatchedCompany;
  const printed: [command: string, text: string][] = [];
  const bundle = path.join(mkdtempSync(path.join(os.tmpdir(), 'lockstep-canary-')), 'bundle');

  beforeAll(async () => {
    execFileSync(process.execPath, ['scripts/go.mjs', 'build'], {
      cwd: path.resolve(__dirname, '../..'),
    });
    company = await startWatchedCompany();
    for (const { secret, file } of keptFor(company))
      searchedFor[secret] = readFileSync(file, 'utf8').trim();
  }, 300_000);
  afterAll(() => company?.stop(), 60_000);

  /** Reads the events of a change until it has ended, and returns the change. */
  async function follow(id: string): Promise<Answer> {
    expect((await company.send('GET', `/v1/changes/${id}/events`)).status).toBe(200);
    return company.send('GET', `/v1/changes/${id}`);
  }
  const retry = (id: string) => company.send('POST', `/v1/changes/${id}/retry`, {});
  const reasons = ({ body }: Answer) =>
    Object.fromEntries(
      body.accounts
        .filter(({ outcome }) => outcome !== 'not_applicable')
        .map(({ source, outcome, reason }) => [source, reason ?? outcome]),
    );

  const first = 'the one that every account took';

  test('a change reaches every account', async () => {
    const body = { identity: 'ada.marsh', password: password(first) };
    const answer = await company.change(body, { 'idempotency-key': 'once' });
    expect(answer).toMatchObject({ status: 200, body: { state: 'done' } });
    await follow(answer.body.id);
  });

  test('a change with the current password is done', async () => {
    const answer = await company.change({
      identity: 'ada.marsh',
      password: password('the one after the current one'),
      currentPassword: searchedFor[first],
    });
    expect(answer).toMatchObject({ status: 200, body: { state: 'done' } });
  });

  test('a change with a wrong current password is refused', async () => {
    const answer = await company.change({
      identity: 'ada.marsh',
      password: password('the one after a wrong one'),
      currentPassword: password('a wrong current one'),
    });
    expect(answer).toMatchObject({ body: { change: { reason: 'wrong_current_password' } } });
  });

  test('a change is rejected by the auth source', async () => {
    const answer = await company.change({ identity: 'ada.marsh', password: searchedFor[first] });
    expect(answer).toMatchObject({ body: { change: { reason: 'policy_history' } } });
  });

  test('a change is rejected by another source', async () => {
    const body = { identity: 'cleo.tanaka', password: password('the one that is too short') };
    const answer = await company.change(body);
    expect(answer).toMatchObject({ status: 200, body: { state: 'partial' } });
    expect(reasons(answer)['apps-directory']).toBe('policy_too_short');
  });

  test('a change waits until a source is available again', async () => {
    await company.crm.refuse();
    company.crm.cut();
    const body = { identity: 'finn.larsen', password: password('the one that waited') };
    const { id } = (await company.change(body, { prefer: 'wait=0' })).body;
    const ended = follow(id);
    await company.waits(id, 'crm', 1);
    await company.crm.pass();
    await retry(id);
    expect(await ended).toMatchObject({ body: { state: 'done' } });
  });

  test('a hostile source repeats the password in its error messages', async () => {
    const body = { identity: 'nils.berg', password: password('the one that was echoed') };
    const { id } = (await company.change(body, { prefer: 'wait=0' })).body;
    await company.waits(id, 'hostile', 1);
    await retry(id);
    await company.waits(id, 'hostile', 2);
    company.hostile.refuseWith(19);
    await retry(id);
    expect(reasons(await follow(id))).toEqual({ 'corp-directory': 'applied', hostile: 'policy' });
    expect(company.hostile.echoed()).toBeGreaterThanOrEqual(3);
  });

  test('a change violates the policy', async () => {
    const withName = password('the one with a name', 'Whitfield\\"%');
    const answer = await company.change({ identity: 'sam.whitfield', password: withName });
    expect(answer).toMatchObject({ status: 422, body: { code: 'password_against_policy' } });
  });

  test.each<[string, (json: string) => string]>([
    ['ends too early', (json) => `{"identity":"ben.osei","password":${json.slice(0, -1)}`],
    ['continues after its end', (json) => `{"identity":"ben.osei","password":${json}} ${json}`],
    ['has the password in a list', (json) => `{"identity":"ben.osei","password":[${json}]}`],
    [
      'has the password twice',
      (json) => `{"identity":"ben.osei","password":${json},"password":${json}}`,
    ],
    ['has the password under another name', (json) => `{"identity":"ben.osei","passwrod":${json}}`],
    ['uses the password as a name', (json) => `{"identity":"ben.osei",${json}:1}`],
    ['is only the password', (json) => json.slice(1, -1)],
    [
      'has a NUL in the password',
      (json) => `{"identity":"ben.osei","password":"\\u0000${json.slice(1)}}`,
    ],
    ['names no identity', (json) => `{"password":${json}}`],
    ['is too large', (json) => `{"identity":"ben.osei","password":${json}}${' '.repeat(20_000)}`],
  ])('the api refuses a body that %s', async (what, bodyWith) => {
    const json = JSON.stringify(password(`the one in a body that ${what}`));
    const { status } = await company.send('POST', '/v1/changes', bodyWith(json));
    expect([400, 422]).toContain(status);
  });

  test('a change is made with the command line', async () => {
    const { apiUrl, adminKeyFile } = company.stack;
    const env = { LOCKSTEP_URL: apiUrl, LOCKSTEP_API_KEY_FILE: adminKeyFile };
    const stdin = password('the one of the command', AWKWARD.replace('\n', '-'));
    for (const command of [
      'change hana.novak -o json',
      'status last',
      'status last -o json',
      'changes --all -o json',
      'identities show ada.marsh -o json',
      'audit --all --format jsonl',
    ]) {
      const { code, stdout, stderr } = await lockstep(command.split(' '), { env, stdin });
      expect([command, code]).toEqual([command, 0]);
      printed.push([command, stdout + stderr]);
    }
  });

  test('a stored credential is looked up, and a password of a host application is refused', async () => {
    const name = 'look-ups of Ada';
    const wanted = { name, scopes: ['lookup'], identity: 'ada.marsh' };
    const { body } = await company.send('POST', '/v1/keys', wanted);
    const { key } = body as unknown as { readonly key: string };
    const lookUp = (route: string, sent?: object) =>
      fetch(`${company.stack.lookupUrl}/v1/${route}`, {
        method: sent === undefined ? 'GET' : 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        ...(sent && { body: JSON.stringify(sent) }),
      });
    const read = (await (await lookUp('credentials/wiki')).json()) as { readonly password: string };
    expect(Object.values(searchedFor)).toContain(read.password);
    const refused = {
      ...{ application: 'wiki', userId: 'ada.marsh' },
      password: password('the one of a host'),
    };
    expect((await lookUp('host-sign-ins', refused)).status).toBe(404);
  });

  test('a support bundle is made', async () => {
    const { apiUrl, adminKeyFile, opsUrls, dir } = company.stack;
    const env = { LOCKSTEP_URL: apiUrl, LOCKSTEP_API_KEY_FILE: adminKeyFile };
    const args = ['support-bundle', '--with-names', '--out', bundle];
    const places = [
      ...['--metrics', ...Object.values(opsUrls)],
      ...['--log', path.join(dir, 'api.log'), path.join(dir, 'worker.log')],
    ];
    expect((await lockstep([...args, ...places], { env })).code).toBe(0);
  });

  async function search(): Promise<Scanner> {
    const scanner = createScanner(searchedFor);
    await scanner.folder('bundle', bundle);
    await searchLeftovers(scanner, company.stack);
    for (const [request, answer] of company.answers) scanner.text(`answers/${request}`, answer);
    for (const [command, text] of printed) scanner.text(`printed/${command}`, text);
    return scanner;
  }

  describe('everything that is stored and shown', () => {
    let clean: Scanner;
    beforeAll(async () => {
      clean = await search();
    }, 180_000);

    test('no password of a person is found in any of seventeen encodings', () => {
      const kept = keptFor(company).map(({ secret }) => secret);
      expect(clean.findings.filter(({ secret }) => !kept.includes(secret))).toEqual([]);
    });

    test('each credential of Lockstep is found only in the file that holds it', () => {
      const found = clean.findings.map(({ secret, place }) => `${secret} in ${place}`);
      const { dir } = company.stack;
      expect(found.sort()).toEqual(
        keptFor(company).map(
          ({ secret, file }) => `${secret} in ${path.join('files', path.relative(dir, file))}`,
        ),
      );
    });

    test.each(Object.entries(kinds))('the search covers %s', (_kind, place) => {
      const bytes = [...clean.searched].flatMap(([at, count]) => (place.test(at) ? [count] : []));
      expect(bytes.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(30);
    });

    test('the search covers stored credentials, which hold these passwords and need the master key', async () => {
      const stored = await queryStore(
        company.stack,
        `select concat_ws(' ', id, applied_seq, master_key_id, encode(sealed, 'hex')) as text
         from mapping where sealed is not null`,
        [],
      );
      expect(stored.length).toBeGreaterThan(0);
      const keys = openMasterFolder(path.join(company.stack.dir, 'keys'));
      const other = openMasterFolder(mkdtempSync(path.join(os.tmpdir(), 'lockstep-canary-')));
      const wrong = await other.masterKey(await other.generate());
      for (const text of stored) {
        const [id = '', seq, keyId = '', sealed = ''] = text.split(' ');
        const row = [id, Number(seq), Buffer.from(sealed, 'hex')] as const;
        const credential = unsealCredential(await keys.masterKey(keyId), ...row).text();
        expect(Object.values(searchedFor)).toContain(credential);
        expect(() => unsealCredential(wrong, ...row)).toThrow();
      }
    });

    test('no sealed secret is left', () => {
      expect(clean.searched.get('rows/lockstep/sealed_secret')).toBe(0);
    });

    test('the search finds a password that is planted in each place', async () => {
      await plant(company, password(PLANTED));
      const { findings } = await search();
      const planted = findings.filter(({ secret }) => secret.endsWith(PLANTED));
      const found = Object.entries(kinds).flatMap(([kind, place]) =>
        planted.some((finding) => place.test(finding.place)) ? [kind] : [],
      );
      expect(found).toEqual(Object.keys(plantedIn));
    }, 180_000);
  });
});

/** The credentials that Lockstep keeps, sorted by name. */
const keptFor = ({ stack }: WatchedCompany): { secret: string; file: string }[] => [
  { secret: 'the admin key', file: stack.adminKeyFile },
  ...Object.entries(stack.systems.secretFiles)
    .map(([source, file]) => ({ secret: `the service password of ${source}`, file }))
    .sort((one, other) => (one.secret < other.secret ? -1 : 1)),
];

/** Writes a password to places that an error could write to: a column, a file, an argument of a workflow. */
async function plant({ stack, send }: WatchedCompany, planted: string): Promise<void> {
  for (const file of ['api.log', 'worker.log', 'keys/epochs/planted'])
    appendFileSync(path.join(stack.dir, file), planted);
  const [id] = await queryStore(
    stack,
    'update outcome set vendor_code = $1 where change_id = (select max(id) from change) returning change_id as text',
    [planted],
  );
  await send('GET', `/v1/changes/${id}`);
  await send('GET', `/v1/changes/${id}/events`);
  const { address, namespace } = stack.engine;
  const connection = await Connection.connect({ address });
  const options = { workflowId: 'chg_planted', taskQueue: 'nobody', args: [planted] };
  await new TemporalClient({ connection, namespace }).workflow.start('planted', options);
  await connection.close();
}
