import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import type { Connector } from '../../connectors/contract';
import { encode } from '../../connectors/encodings';
import { freePort } from '../../local/ports';
import { startPostgres } from '../../local/postgres';
import { Secret } from '../../model/passwords/secret';
import { describeWith, server } from '../support/servers';
import { conformance } from './conformance';
import type { TestAccount } from './conformance/subject';
import { openerOf } from './open-subject';
import { postgresRoles } from './postgres-role-subject';
import { asking } from './requests';
import { postgresAdmin, serviceLoginPromises, unique } from './sql-admin';

describeWith(['postgres'], 'postgres-role', () => {
  const { subject, admin, service, reader, servicePassword, alter } = postgresRoles();
  const { account, entry, logsIn } = subject;
  conformance(subject);
  serviceLoginPromises(subject);
  const open = openerOf(subject);
  const logFile = () => server('postgres').logFile ?? '';

  const write = (connector: Connector, { ref }: TestAccount, password: string) =>
    connector.setPassword(asking(ref, Secret.fromText(password)));
  const verify = (connector: Connector, { ref }: TestAccount, password: string) =>
    connector.verify(asking(ref, Secret.fromText(password)));

  test('a write to a role whose VALID UNTIL has passed changes nothing else, and verify is inconclusive', async () => {
    const [connector, expired] = [await open(), await account()];
    await alter(expired, `valid until '2020-01-01'`);
    const before = await entry(expired);
    expect(await write(connector, expired, 'The new one')).toMatchObject({ result: 'applied' });
    expect({ ...(await entry(expired)), rolpassword: '' }).toEqual({ ...before, rolpassword: '' });
    expect(await verify(connector, expired, 'The new one')).toEqual({
      result: 'inconclusive',
      reason: 'account_disabled',
      vendorCode: '28P01',
    });
    expect(await connector.state({ account: expired.ref })).toMatchObject({ disabled: true });
  });

  test.each([
    {
      broken: 'a read-only server',
      spoil: `alter role ${service} set default_transaction_read_only = on`,
      mend: `alter role ${service} reset default_transaction_read_only`,
      says: 'read-only replica',
    },
    {
      broken: 'a missing right to the language of the statement',
      spoil: 'revoke usage on language plpgsql from public',
      mend: 'grant usage on language plpgsql to public',
      says: 'language plpgsql',
    },
  ])('check reports $broken, with which every change is refused', async ({ spoil, mend, says }) => {
    const { rows } = await admin().query('select current_database() as database');
    const one = await account();
    await admin().query(spoil);
    try {
      const connector = await open(rows[0]);
      expect(await write(connector, one, 'The new one')).toMatchObject({ result: 'rejected' });
      expect(await connector.check()).toContainEqual({
        ...{ check: 'rights', verdict: 'wrong' },
        says: expect.stringContaining(says),
      });
    } finally {
      await admin().query(mend);
    }
  });

  test('verify compares a verifier if a superuser lets the service account read the stored one', async () => {
    const { rows } = await admin().query('select current_database() as database');
    const [connector, one] = [await open(rows[0]), await account()];
    const made = () => encode('scram-sha-256', Secret.fromText('The new one'));
    const [verifier, other] = [await made(), await made()];
    const requestFor = (text: string) => asking(one.ref, Secret.fromText(text), 'scram-sha-256');
    await connector.setPassword(requestFor(verifier));
    await admin().query(`grant select on pg_authid to ${service}`);
    try {
      expect(await connector.verify(requestFor(verifier))).toEqual({
        result: 'holds',
        proof: 'hash',
      });
      expect(await connector.verify(requestFor(other))).toMatchObject({ result: 'differs' });
    } finally {
      await admin().query(`revoke select on pg_authid from ${service}`);
    }
    expect(await logsIn(one, 'The new one')).toBe(true);
  });

  test('verify answers holds for a role that may not enter the database of the login', async () => {
    const [connector, one] = [
      await open({ loginDatabase: unique('no_such_database') }),
      await account(),
    ];
    expect(await verify(connector, one, one.password)).toEqual({ result: 'holds', proof: 'login' });
  });

  test('another role with the name of a dropped one is not treated as the account', async () => {
    const [connector, old] = [await open(), await account()];
    const name = old.ref.name;
    await admin().query(
      `drop role ${name}; create role ${name} login password 'of another person'`,
    );
    const reason = 'account_replaced';
    expect(await write(connector, old, 'The new one')).toMatchObject({ reason });
    expect(await verify(connector, old, 'of another person')).toMatchObject({ reason });
    expect(await logsIn(old, 'of another person')).toBe(true);
  });

  test('a write to a superuser is rejected with no_rights and does not disturb the next write', async () => {
    const { rows } = await admin().query('select current_user as name');
    const ref = { name: rows[0].name, nativeId: null };
    const connector = await open({ poolSize: 1 });
    const answer = await write(connector, { ref, password: '', key: '' }, 'The new one');
    expect(answer).toEqual({ result: 'rejected', reason: 'no_rights', vendorCode: '42501' });
    expect(await write(connector, await account(), 'The new one')).toMatchObject({
      result: 'applied',
    });
  });

  test('roles whose names need quoting are written, verified and found', async () => {
    const connector = await open();
    for (const name of [
      'Ann "the" O\'Neil; drop role x --',
      '日本 %I $1',
      'current_user',
      'x'.repeat(63),
    ]) {
      await admin().query(
        `set role ${service}; create role ${admin().escapeIdentifier(name)} login; reset role`,
      );
      const one = { ref: { name, nativeId: null }, password: '', key: name };
      expect(await write(connector, one, 'The new one')).toMatchObject({ result: 'applied' });
      expect(await verify(connector, one, 'The new one')).toMatchObject({ result: 'holds' });
      expect(await connector.find({ match: { role: name }, limit: 2 })).toMatchObject({
        accounts: [{ name, attributes: { role: [name] } }],
      });
      const longer = { ref: { name: `${name}x`, nativeId: null }, password: '', key: '' };
      expect(await write(connector, longer, 'The new one')).toMatchObject({ reason: 'no_account' });
      await admin().query(`drop role ${admin().escapeIdentifier(name)}`);
    }
  });

  test('every write of Lockstep is applied while another session alters the same role', async () => {
    // The writes wait for each other, on a slow machine for seconds.
    const [connector, one] = [await open({ poolSize: 8, timeoutMs: 9_000 }), await account()];
    const otherSession = await postgresAdmin();
    let done = false;
    const disturb = async () => {
      for (let n = 0; !done; n++) {
        await otherSession
          .query(`alter role ${one.ref.name} connection limit ${n}`)
          .catch(() => undefined);
        await sleep(5);
      }
    };
    const disturbance = disturb();
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, n) => write(connector, one, `One of many ${n}`)),
    );
    done = true;
    await disturbance;
    await otherSession.end();
    expect(answers).toMatchObject(answers.map(() => ({ result: 'applied' })));
  });

  test('a write to a role that another transaction has locked answers retry with account_in_use, and is not done later', async () => {
    const [connector, one] = [await open({ timeoutMs: 1000 }), await account()];
    await admin().query(`begin; alter role ${one.ref.name} connection limit 7`);
    expect(await write(connector, one, 'The new one')).toEqual({
      result: 'retry',
      reason: 'account_in_use',
      vendorCode: '55P03',
    });
    await admin().query('rollback');
    expect(await logsIn(one, one.password)).toBe(true);
  });

  test('the log of the server contains neither password nor verifier, even if it logs every ALTER ROLE and rejects the write', async () => {
    const [one, password] = [await account(), unique('Never-in-a-log')];
    await admin().query(`
      alter role ${service} set log_statement to 'ddl';
      alter role ${reader} set log_statement to 'ddl'`);
    const from = readFileSync(logFile()).length;
    expect(await write(await open(), one, password)).toMatchObject({ result: 'applied' });
    expect(await write(await open({ user: reader }), one, password)).toMatchObject({
      reason: 'no_rights',
    });
    await admin().query(`
      alter role ${service} reset log_statement; alter role ${reader} reset log_statement`);
    const logged = readFileSync(logFile()).subarray(from).toString();
    expect(logged).toContain('Lockstep: ALTER ROLE failed');
    expect(logged).not.toContain(password);
    expect(logged).not.toContain('SCRAM-SHA-256$');
  });

  test('find and list return the login roles that match roleFilter, but no superusers, no groups and not the service account', async () => {
    const one = await account();
    await admin().query(`comment on role ${one.ref.name} is 'Ann, of sales'`);
    const group = unique('role');
    await admin().query(`create role ${group}`);
    const connector = await open({ roleFilter: `${one.ref.name.slice(0, -3)}%` });
    expect(await connector.list({ cursor: null, pageSize: 10 })).toEqual({
      result: 'page',
      accounts: [{ ...one.ref, attributes: { role: [one.key], comment: ['Ann, of sales'] } }],
      cursor: null,
    });
    const everything = await open();
    const found = await Promise.all(
      [group, service, 'lockstep'].map((role) => everything.find({ match: { role }, limit: 2 })),
    );
    expect(found).toEqual(found.map(() => ({ result: 'found', accounts: [] })));
    expect(await everything.find({ match: { shoe_size: '46' }, limit: 2 })).toMatchObject({
      reason: 'not_supported',
    });
  });

  test('the connector opens at most poolSize connections, and close ends them', async () => {
    const connector = await open({ poolSize: 2 });
    const { rows } = await admin().query('select clock_timestamp() as now');
    // Other connectors of this suite close their connections during the test, so only new ones are counted.
    const count = async () => {
      const began = await admin().query(
        'select from pg_stat_activity where usename = $1 and backend_start > $2',
        [service, rows[0].now],
      );
      return began.rowCount;
    };
    const account = { name: 'nobody', nativeId: null };
    await Promise.all(Array.from({ length: 30 }, () => connector.state({ account })));
    expect(await count()).toBe(2);
    await connector.close();
    while ((await count()) !== 0) await sleep(10);
  });

  test('a server without TLS leads to retry with certificate_refused, and receives only the request for TLS', async () => {
    const heard: Buffer[] = [];
    const listener = createServer((socket) =>
      socket.on('data', (bytes) => {
        heard.push(bytes);
        socket.write('N');
      }),
    );
    const port = await freePort();
    await once(listener.listen(port, '127.0.0.1'), 'listening');
    const connector = await open({ port });
    const one = await account();
    expect(await write(connector, one, 'The new one')).toMatchObject({
      result: 'retry',
      reason: 'certificate_refused',
    });
    expect(Buffer.concat(heard)).toHaveLength(8);
    listener.close();
  });

  test('verify does not send the password to a server that asks for it in clear', async () => {
    const dir = path.join(path.dirname(path.dirname(logFile())), unique('postgres'));
    mkdirSync(dir);
    const hba = path.join(dir, 'own_hba.conf');
    writeFileSync(hba, 'hostssl all all 127.0.0.1/32 password\n');
    const own = await startPostgres({
      dir,
      report: () => {},
      durable: false,
      settings: { hba_file: hba },
    });
    const owner = new Client({ connectionString: own.url });
    await owner.connect();
    await owner.query(`
      create role ${service} login superuser password '${servicePassword}';
      create role ann login password 'Right but never seen'`);
    await owner.end();
    const ann = { ref: { name: 'ann', nativeId: null }, password: '', key: '' };
    const connector = await open({ port: own.port, ca: own.caFile });
    expect(await verify(connector, ann, 'Right but never seen')).toEqual({
      result: 'inconclusive',
      reason: 'not_supported',
      vendorCode: 'no_scram',
    });
    await connector.close();
    await own.stop();
  });
});
