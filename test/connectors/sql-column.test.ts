import { encode } from '../../connectors/encodings';
import { sqlColumn } from '../../connectors/sql-column/kind';
import { readEncoded, schemes } from '../../model/hashes/encoding';
import { Secret } from '../../model/passwords/secret';
import { startImpostor } from '../support/impostor';
import { everyNth } from '../support/long';
import { describeWith } from '../support/servers';
import { until } from '../support/until';
import { conformance } from './conformance';
import type { Settings, Subject } from './conformance/subject';
import { openerOf } from './open-subject';
import { asking } from './requests';
import { mariadbAgreesToTls, serviceLoginPromises, unique } from './sql-admin';
import { mariadbTable, postgresTable, service, subjectOf, type Table } from './sql-column-subject';

for (const [needs, table] of [
  ['postgres', postgresTable()],
  ['mariadb', mariadbTable()],
] as const) {
  describeWith([needs], `sql-column on ${needs}`, () => {
    beforeAll(() => table.open());
    afterAll(() => table.close());
    const subject = subjectOf(table);
    conformance(subject);
    serviceLoginPromises(subject);
    ownPromises(table, subject);
    if (needs === 'mariadb') loginMethodPromises(subject);
  });
}

/** A packet of the MySQL protocol that asks for another login method (AuthSwitchRequest). */
function asksFor(method: string): Buffer {
  const body = Buffer.from(`\xfe${method}\0${'x'.repeat(20)}\0`, 'latin1');
  const AFTER_LOGIN = 3;
  return Buffer.concat([Buffer.from([body.length, 0, 0, AFTER_LOGIN]), body]);
}

function loginMethodPromises(subject: Subject): void {
  const open = openerOf(subject);

  test('a service account with a login method that the driver does not support is reported with the method', async () => {
    const impostor = await startImpostor(mariadbAgreesToTls, asksFor('client_ed25519'));
    const { host, port } = impostor.address;
    const connector = await open({ host, port, ca: impostor.caFile });
    const vendorCode = 'login_method:client_ed25519';
    expect(await connector.find({ match: { login: 'ann' }, limit: 1 })).toEqual({
      ...{ result: 'failed', reason: 'service_credential_refused', vendorCode },
    });
    expect(await connector.check()).toContainEqual({
      ...{ check: 'service-login', verdict: 'wrong' },
      says: expect.stringContaining('login method client_ed25519'),
    });
    await impostor.stop();
  });
}

/** Promises of this kind that the contract does not require of every kind. */
function ownPromises(table: Table, subject: Subject): void {
  const open = openerOf(subject);
  const password = () => Secret.fromText('The new one');
  const named = (name: string) => ({ name, nativeId: null });
  const stored = async (login: string) =>
    (await table.run('select password from people where login = ?', [login]))[0]?.password;
  const verdicts = async (changes: Settings) =>
    Object.fromEntries(
      (await (await open(changes)).check()).map(({ check, verdict }) => [check, verdict]),
    );
  /** Creates another table that the service account may read and write. */
  async function tableOf(columns: string): Promise<string> {
    const name = unique('table');
    await table.run(`create table ${name} (${columns})`);
    await table.run(`grant select, update on ${name} to ${service}`);
    return name;
  }
  const plain = {
    ...{ idColumn: undefined, changedAtColumn: undefined, disabledColumn: undefined },
    attributes: [],
  };

  test('a write to a key that names two rows is rejected with not_supported, and changes neither row', async () => {
    const twins = await tableOf('login varchar(20), password varchar(200)');
    await table.run(`insert into ${twins} values ('ann', 'one'), ('ann', 'two'), ('bob', 'three')`);
    const connector = await open({ ...plain, table: twins });
    const several = { reason: 'not_supported', vendorCode: 'several_rows' };
    expect(await connector.setPassword(asking(named('ann'), password()))).toMatchObject({
      result: 'rejected',
      ...several,
    });
    expect(await connector.verify(asking(named('ann'), password()))).toMatchObject({
      result: 'inconclusive',
      ...several,
    });
    expect(await connector.state({ account: named('ann') })).toMatchObject(several);
    const rows = await table.run(`select password from ${twins} order by password`);
    expect(rows.map((row) => row.password)).toEqual(['one', 'three', 'two']);
    expect(await verdicts({ ...plain, table: twins })).toMatchObject({ key: 'wrong' });
  });

  test('a key that the collation of its column compares without case names one row in each spelling', async () => {
    if (table.engine === 'postgres') await table.admin('create extension if not exists citext');
    const type = table.engine === 'postgres' ? 'citext' : 'varchar(20)';
    const people = await tableOf(`login ${type} primary key, password varchar(200)`);
    await table.run(`insert into ${people} values ('Ann', 'one'), ('bob', 'two')`);
    const settings = { ...plain, table: people, keyComparison: 'ignore-case' };
    const connector = await open(settings);
    const account = { name: 'Ann', nativeId: null };
    for (const name of ['ann', 'ANN', 'Ann']) {
      expect(await connector.setPassword(asking(named(name), password()))).toEqual({
        result: 'applied',
        account,
      });
      expect(await connector.find({ match: { login: name }, limit: 2 })).toMatchObject({
        accounts: [account],
      });
    }
    expect(await table.run(`select login from ${people} where password = 'one'`)).toEqual([]);
    expect(await table.run(`select login from ${people} where password = 'two'`)).toHaveLength(1);
    expect(await verdicts(settings)).toMatchObject({ 'key-comparison': 'ok' });
  });

  test('with the exact comparison, a name with other case or with an additional space is another account', async () => {
    const [connector, { ref }] = [await open({ keyComparison: 'exact' }), await subject.account()];
    const before = await stored(ref.name);
    for (const name of [ref.name.toUpperCase(), `${ref.name} `, ` ${ref.name}`]) {
      const answer = await connector.setPassword(asking(named(name), password()));
      expect(answer).toMatchObject({ result: 'rejected', reason: 'no_account' });
      expect(await connector.find({ match: { login: name }, limit: 2 })).toMatchObject({
        accounts: [],
      });
    }
    expect(await stored(ref.name)).toBe(before);
  });

  test('numeric keys are found and listed in numeric order, and other text names no account', async () => {
    const numbered = await tableOf('id int primary key, password varchar(200)');
    await table.run(`insert into ${numbered} (id) values (9), (10), (11), (100)`);
    const connector = await open({ ...plain, table: numbered, keyColumn: 'id' });
    const account = named('10');
    expect(await connector.setPassword(asking(account, password()))).toMatchObject({
      result: 'applied',
    });
    expect(await connector.verify(asking(account, password()))).toMatchObject({
      result: 'holds',
    });
    for (const name of ['10x', 'ten', '', '10.0', '99999999999999999999'])
      expect(await connector.setPassword(asking(named(name), password()))).toMatchObject({
        result: 'rejected',
        reason: 'no_account',
      });
    const first = await connector.list({ cursor: null, pageSize: 3 });
    expect(first).toMatchObject({
      accounts: [{ name: '9' }, { name: '10' }, { name: '11' }],
      cursor: '11',
    });
    expect(await connector.list({ cursor: '11', pageSize: 3 })).toMatchObject({
      accounts: [{ name: '100' }],
      cursor: null,
    });
  });

  test('a table and columns whose names need quoting are read and written', async () => {
    const quoted = table.engine === 'mysql' ? '`odd ``table" ;--`' : '"odd `table"" ;--"';
    const [id, word] =
      table.engine === 'mysql' ? ['`the key`', '`a?b $1`'] : ['"the key"', '"a?b $1"'];
    await table.admin(
      `create table ${quoted} (${id} varchar(50) primary key, ${word} varchar(200))`,
    );
    await table.admin(`grant select, update on ${quoted} to ${service}`);
    await table.admin(`insert into ${quoted} (${id}) values ('ann')`);
    const connector = await open({
      ...plain,
      table: 'odd `table" ;--',
      keyColumn: 'the key',
      passwordColumn: 'a?b $1',
    });
    const account = named('ann');
    expect(await connector.setPassword(asking(account, password()))).toMatchObject({
      result: 'applied',
    });
    expect(await connector.verify(asking(account, password()))).toMatchObject({
      result: 'holds',
    });
    expect(await connector.list({ cursor: null, pageSize: 5 })).toMatchObject({
      accounts: [{ name: 'ann', attributes: { 'the key': ['ann'] } }],
    });
  });

  test('a hash that is too long for its column is rejected and not cut short, and check reports the column', async () => {
    const short = await tableOf('login varchar(20) primary key, password varchar(50)');
    await table.run(`insert into ${short} values ('ann', 'as before')`);
    // A MySQL server without strict mode would cut the hash short without an error.
    if (table.engine === 'mysql') await table.admin(`set global sql_mode = ''`);
    const connector = await open({ ...plain, table: short });
    expect(await connector.setPassword(asking(named('ann'), password()))).toMatchObject({
      result: 'rejected',
      reason: 'not_supported',
    });
    expect(await table.run(`select password from ${short}`)).toMatchObject([
      { password: 'as before' },
    ]);
    expect(await verdicts({ ...plain, table: short })).toMatchObject({
      'password-column': 'wrong',
      scheme: 'warning',
    });
    if (table.engine === 'mysql') await table.admin('set global sql_mode = default');
  });

  test('a write that a constraint of the table refuses is rejected with policy', async () => {
    const strict = await tableOf(
      `login varchar(20) primary key, password varchar(200) check (password like 'always%')`,
    );
    await table.run(`insert into ${strict} values ('ann', 'always so')`);
    const connector = await open({ ...plain, table: strict });
    expect(await connector.setPassword(asking(named('ann'), password()))).toMatchObject({
      result: 'rejected',
      reason: 'policy',
    });
  });

  test('a write to a row that another transaction has locked answers retry with account_in_use, and is not done later', async () => {
    const [connector, { ref }] = [await open({ timeoutMs: 4000 }), await subject.account()];
    const before = await stored(ref.name);
    await table.run('start transaction');
    await table.run('update people set note = ? where login = ?', ['mine', ref.name]);
    const answer = await connector.setPassword(asking(ref, password()));
    expect(answer).toMatchObject({ result: 'retry', reason: 'account_in_use' });
    await table.run('rollback');
    expect(await stored(ref.name)).toBe(before);
  });

  test('verify compares a stored hash of another scheme, and is inconclusive for an unknown scheme', async () => {
    const [connector, { ref }] = [await open(), await subject.account()];
    const put = (hash: string | null) =>
      table.run(
        `update people set password = ${hash === null ? 'null' : `'${hash}'`} where login = ?`,
        [ref.name],
      );
    const verdict = () => connector.verify(asking(ref, password()));
    await put(await encode('pbkdf2-sha256', password()));
    expect(await verdict()).toMatchObject({ result: 'holds', proof: 'hash' });
    await put('$2b$12$whatever');
    expect(await verdict()).toMatchObject({ result: 'inconclusive', reason: 'not_supported' });
    await put(null);
    expect(await verdict()).toMatchObject({ result: 'differs' });
  });

  test.each([
    ['!', 'sha512-crypt'],
    ['!!', 'ssha512'],
    ['*LK*', 'sha512-crypt'],
    ['!', 'bcrypt'],
  ] as const)(
    'a write to an account that %s in front of its %s hash locks keeps the mark, and the account counts as locked',
    async (mark, scheme) => {
      const [connector, { ref }] = [await open({ scheme }), await subject.account()];
      const put = async (text: string) => {
        const hash = await encode(scheme, Secret.fromText(text));
        const value = `${mark}${hash.replace('{CRYPT}', '')}`;
        await table.run('update people set password = ? where login = ?', [value, ref.name]);
      };
      await put('the old one');
      expect(await connector.state({ account: ref })).toMatchObject({ locked: true });
      expect(await connector.verify(asking(ref, Secret.fromText('the old one')))).toEqual({
        ...{ result: 'holds', proof: 'hash', signInPrevented: 'account_locked' },
      });
      expect(await connector.setPassword(asking(ref, password()))).toMatchObject({
        result: 'applied',
      });
      const written = String(await stored(ref.name));
      expect(written.startsWith(mark)).toBe(true);
      expect(readEncoded(written.slice(mark.length))?.scheme).toBe(scheme);
      expect(await connector.verify(asking(ref, password()))).toMatchObject({
        ...{ result: 'holds', signInPrevented: 'account_locked' },
      });
    },
  );

  test.each(['!', '!!', '*', '*NP*', '!KuVwYhDKgPvnQmzt0bHcBaZKzvR6xJHSvI5Lyu3l'])(
    'an account whose stored password is the mark %s alone has no password of its own, and is not written',
    async (mark) => {
      const [connector, { ref }] = [await open(), await subject.account()];
      await table.run('update people set password = ? where login = ?', [mark, ref.name]);
      expect(await connector.setPassword(asking(ref, password()))).toEqual({
        ...{ result: 'rejected', reason: 'no_own_password', vendorCode: null },
      });
      expect(await stored(ref.name)).toBe(mark);
      expect(await connector.verify(asking(ref, password()))).toMatchObject({ result: 'differs' });
    },
  );

  test('a hash of MySQL, which begins with a star, is not taken for a lock', async () => {
    const [connector, { ref }] = [await open({ scheme: 'mysql-native' }), await subject.account()];
    await connector.setPassword(asking(ref, password()));
    expect(await connector.state({ account: ref })).toMatchObject({ locked: false });
    expect(await connector.setPassword(asking(ref, password()))).toMatchObject({
      result: 'applied',
    });
  });

  test('a lock that the application sets between the read and the write is not overwritten', async () => {
    const [connector, { ref }] = [await open(), await subject.account()];
    const before = String(await stored(ref.name));
    await table.run('start transaction');
    await table.run('update people set password = ? where login = ?', [`!${before}`, ref.name]);
    const writing = connector.setPassword(asking(ref, password()));
    const waits =
      table.engine === 'mysql'
        ? "select 1 from information_schema.processlist where info like 'update%' and user like 'service%'"
        : 'select 1 from pg_locks where not granted';
    await until(async () => (await table.run(waits)).length > 0);
    await table.run('commit');
    expect(await writing).toMatchObject({ result: 'retry', reason: 'account_in_use' });
    expect(await stored(ref.name)).toBe(`!${before}`);
  });

  // The connector makes the same hashes for both engines.
  const written = table.engine === 'postgres' ? schemes : everyNth(4, schemes);
  test.each(written)('a password that is written as %s is verified', async (scheme) => {
    const [connector, { ref }] = [await open({ scheme }), await subject.account()];
    await connector.setPassword(asking(ref, password()));
    expect(readEncoded(String(await stored(ref.name)))?.scheme).toBe(scheme);
    expect(await connector.verify(asking(ref, password()))).toMatchObject({
      result: 'holds',
    });
  });

  test('a password that bcrypt would cut short is rejected, and nothing is written', async () => {
    const [connector, { ref }] = [await open({ scheme: 'bcrypt' }), await subject.account()];
    const before = await stored(ref.name);
    const long = Secret.fromText('é'.repeat(37));
    expect(await connector.setPassword(asking(ref, long))).toMatchObject({
      result: 'rejected',
      reason: 'policy_too_long',
    });
    expect(await stored(ref.name)).toBe(before);
  });

  test('the time limit of a write does not include the wait for hashing', async () => {
    const { ref } = await subject.account();
    const began = performance.now();
    await encode('bcrypt', password());
    const hashMs = performance.now() - began;
    const writeWithin = async (timeoutMs: number) => {
      const connector = await open({ scheme: 'bcrypt', timeoutMs });
      // Two threads hash, so these take twice as long as the time limit.
      const others = Array.from({ length: Math.ceil((4 * timeoutMs) / hashMs) }, () =>
        encode('bcrypt', password()),
      );
      const [{ result }] = await Promise.all([
        connector.setPassword(asking(ref, password())),
        ...others,
      ]);
      return result;
    };
    let result = await writeWithin(500);
    // The machine may have stopped for longer than the time limit.
    if (result !== 'applied') result = await writeWithin(3_000);
    expect(result).toBe('applied');
  });

  test('a hash of crypt(3) is stored in the column without the prefix that directories use', async () => {
    const [connector, { ref }] = [await open({ scheme: 'sha512-crypt' }), await subject.account()];
    const hash = await encode('sha512-crypt', password());
    await connector.setPassword(asking(ref, Secret.fromText(hash), 'sha512-crypt'));
    expect(`{CRYPT}${await stored(ref.name)}`).toBe(hash);
    const request = asking(ref, Secret.fromText(hash), 'sha512-crypt');
    expect(await connector.verify(request)).toMatchObject({ result: 'holds', proof: 'hash' });
  });

  test('check passes with minimal rights, and warns about the right to write the key', async () => {
    const { ref } = await subject.account();
    // Other tests leave hashes of every scheme, and any of them may be in the first row.
    await table.run('update people set password = ?', [String(await stored(ref.name))]);
    expect(await verdicts({})).toEqual({
      tls: 'ok',
      'service-login': 'ok',
      rights: 'ok',
      'password-column': 'ok',
      key: 'ok',
      'key-comparison': 'ok',
      scheme: 'ok',
    });
    const other = table.engine === 'mysql' ? 'exact' : 'ignore-case';
    expect(await verdicts({ keyComparison: other })).toMatchObject({
      'key-comparison': other === 'exact' ? 'warning' : 'wrong',
    });
    const open = await tableOf('login varchar(20) primary key, password varchar(200)');
    expect(await verdicts({ ...plain, table: open })).toMatchObject({
      rights: 'warning',
      key: 'ok',
      scheme: 'skipped',
    });
  });

  if (table.engine === 'postgres')
    test.each<[string, (people: string) => string, string, object]>([
      [
        'row security that hides the rows from an update',
        (people) =>
          `alter table ${people} enable row level security;
           create policy shown on ${people} for select using (true)`,
        '',
        { check: 'row', says: expect.stringContaining('row security') },
      ],
      [
        'a read-only database',
        () => `alter role ${service} set default_transaction_read_only = on`,
        `alter role ${service} reset default_transaction_read_only`,
        { check: 'rights', says: expect.stringContaining('accepts no writes (25006)') },
      ],
      [
        'a trigger that the service account may not run',
        (people) =>
          `create function ${people}_f() returns trigger language plpgsql as
             'begin perform * from pg_authid; return new; end';
           create trigger checked before update on ${people}
             for each row execute function ${people}_f()`,
        '',
        {
          check: 'row',
          says: expect.stringContaining('refuses an update of the first row (42501)'),
        },
      ],
    ])('check reports %s, with which every change is refused', async (_, spoil, mend, finding) => {
      const people = await tableOf('login varchar(20) primary key, password varchar(200)');
      await table.run(`insert into ${people} values ('ann', 'one')`);
      await table.admin(spoil(people));
      try {
        const connector = await open({ ...plain, table: people });
        const answer = await connector.setPassword(asking(named('ann'), password()));
        expect(['retry', 'rejected']).toContain(answer.result);
        expect(await connector.check()).toContainEqual({ ...finding, verdict: 'wrong' });
      } finally {
        await table.admin(mend);
      }
    });

  test('check refuses a key column that holds bytes', async () => {
    const type = table.engine === 'mysql' ? 'binary(16)' : 'bytea';
    const bytes = await tableOf(`id ${type} primary key, password varchar(200)`);
    const connector = await open({ ...plain, table: bytes, keyColumn: 'id' });
    expect(await connector.check()).toContainEqual({
      ...{ check: 'key', verdict: 'wrong' },
      says: expect.stringContaining('id holds bytes'),
    });
  });

  test('check reports a table or column that does not exist or may not be read', async () => {
    expect(await verdicts({ table: 'nowhere' })).toMatchObject({ table: 'wrong' });
    expect(await verdicts({ attributes: ['shoe_size'] })).toMatchObject({ table: 'wrong' });
    const hidden = unique('hidden');
    await table.run(
      `create table ${hidden} (login varchar(20) primary key, password varchar(200))`,
    );
    expect(await verdicts({ ...plain, table: hidden })).toMatchObject({ table: 'wrong' });
  });

  test('a write answers which file cannot be read: the certificates, or the password of the service account', async () => {
    const { ref } = await subject.account();
    for (const [changes, reason] of [
      [{ ca: '/nowhere/ca.crt' }, 'certificate_refused'],
      [{ password: '${file:nowhere}' }, 'service_credential_refused'],
    ] as const) {
      const connector = await open(changes);
      expect(await connector.setPassword(asking(ref, password()))).toMatchObject({
        result: 'retry',
        reason,
      });
    }
  });

  test('a database that does not exist is trouble of the source, and rejects no account', async () => {
    const { ref } = await subject.account();
    const connector = await open({ database: 'nowhere' });
    expect(await connector.setPassword(asking(ref, password()))).toMatchObject({
      result: 'retry',
      reason: 'unreachable',
    });
    expect(await connector.check()).toContainEqual(
      expect.objectContaining({ verdict: 'wrong', says: expect.stringContaining('atabase') }),
    );
  });

  test('the settings require serverName if host is an IP address', () => {
    const settings = subject.settings(subject.server);
    const accepts = (changes: Settings) =>
      sqlColumn.settings.safeParse({ ...settings, ...changes }).success;
    expect(accepts({ serverName: undefined })).toBe(false);
    expect(accepts({ serverName: '127.0.0.1' })).toBe(false);
    expect(accepts({ host: 'localhost', serverName: undefined })).toBe(true);
  });
}
