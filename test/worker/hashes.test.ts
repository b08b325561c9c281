import { encode } from '../../connectors/encodings';
import type { Scheme } from '../../model/hashes/encoding';
import { Secret } from '../../model/passwords/secret';
import { findIdentity } from '../../store/people/identities';
import { linkMapping } from '../../store/people/mappings';
import type { TestApi } from '../support/api';
import type { CompanyAccount } from '../support/company';
import { holders, newPassword } from '../support/people';
import { keeps } from '../support/rules';
import { describeWith } from '../support/servers';
import { workerSuite } from '../support/worker-suite';

/** Sources that report only the hash of a new password, on real servers, through the api. */
describeWith(['slapd', 'postgres', 'temporal'], 'a captured hash', () => {
  const suite = workerSuite();
  let api: TestApi;
  let relay: string;
  let desk: string;

  const hashesOf = (...forms: Scheme[]) => ({
    capture: { enabled: true, verifyCurrent: false, forms },
  });
  /** `crm` gives hashes; the policy of the group would reject any password. */
  const document = (authSource: 'directory' | 'apps' | 'warehouse', form: Scheme = 'ssha512') => {
    const { directory, apps, ...others } = suite.company.sources({ crm: hashesOf(form) });
    const knowing = (source: object = {}) => ({
      ...source,
      settings: { ...('settings' in source ? (source.settings as object) : {}), hashes: [form] },
      ...(form === 'ssha512' ? hashesOf(form) : {}),
    });
    return {
      version: 1,
      sources: { ...others, directory: knowing(directory), apps: knowing(apps) },
      policies: { everyone: { minLength: 200, maxLength: 400 } },
      groups: { all: { policy: 'everyone', authSource, sources: [authSource, 'crm'] } },
      applications: { reports: { source: 'apps' } },
    };
  };

  beforeAll(async () => {
    api = await suite.startApi();
    relay = await api.newKey(['capture']);
    desk = await api.newKey(['trigger', 'read']);
  });
  const capture = async (account: CompanyAccount, encoded: string) =>
    api.send('POST', '/v1/captures', {
      key: relay,
      body: {
        source: account.source,
        account: account.name,
        encoded,
        capturedAt: new Date().toISOString(),
      },
    });
  const addPerson = async (auth: 'directory' | 'apps' | 'warehouse') => {
    const { person, accounts } = await suite.addPerson(auth, 'crm');
    const [first, crm] = accounts;
    if (first === undefined || crm === undefined) throw new Error('no accounts');
    return { person, auth: first, crm };
  };
  const outcomes = async (id: unknown) =>
    (await suite.lockstep.readEnd(String(id))).accounts.map(({ source, state, reason, proof }) => [
      source,
      state,
      reason,
      proof,
    ]);
  const rowOf = (account: CompanyAccount) => suite.company.hashOf(account);

  test(
    keeps(
      'a captured hash is stored unchanged, its password logs in, and no policy is applied',
      20,
      8,
    ),
    async () => {
      await suite.lockstep.configure(document('apps'));
      const { auth, crm } = await addPerson('apps');
      const word = newPassword();
      await crm.changeThere(word);
      const hash = await rowOf(crm);
      const { status, body } = await capture(crm, hash);
      expect([status, body.form, body.policy]).toEqual([202, 'ssha512', 'skipped']);
      expect(await outcomes(body.id)).toEqual([
        ['apps', 'applied', null, 'hash'],
        ['crm', 'applied', 'origin', 'none'],
      ]);
      expect(await holders([auth, crm], word)).toEqual([true, true]);
      const { rows } = await suite.lockstep.database.pool.query(
        `select detail from audit where change_id = $1 and action = 'change.accepted'`,
        [body.id],
      );
      expect(rows[0].detail).toMatchObject({ form: 'ssha512' });
      expect(JSON.stringify(rows)).not.toContain(hash);
      // The hash comes back from the account that it was written to.
      expect((await capture(auth, hash)).body).toMatchObject({ result: 'echo' });
    },
  );

  test(keeps('a hash that Lockstep made itself is recognised by its salt', 14), async () => {
    const relaxed = { ...document('apps'), policies: { everyone: {} } };
    await suite.lockstep.configure(relaxed);
    const { person, auth, crm } = await addPerson('apps');
    const word = newPassword();
    const { body } = await api.send('POST', '/v1/changes', {
      key: desk,
      body: { identity: person, password: word },
    });
    expect(body).toMatchObject({ form: 'plaintext', policy: 'judged' });
    expect(await suite.lockstep.readEnd(String(body.id))).toMatchObject({ state: 'done' });
    expect(await holders([auth, crm], word)).toEqual([true, true]);
    expect((await capture(crm, await rowOf(crm))).body).toMatchObject({ result: 'echo' });
    await crm.changeThere(word);
    expect((await capture(crm, await rowOf(crm))).status).toBe(202);
  });

  test('a hash without a salt is never taken for one that Lockstep made', async () => {
    const { crm: table, ...others } = suite.company.sources();
    const settings = { ...Object(table).settings, scheme: 'mysql-native' };
    const lone = { kind: 'sql-column', settings };
    await suite.lockstep.configure({
      version: 1,
      sources: { ...others, crm: { ...lone, ...hashesOf('mysql-native'), policy: 'everyone' } },
      policies: { everyone: {} },
    });
    const { accounts } = await suite.addPerson('crm');
    const [crm] = accounts;
    if (crm === undefined) throw new Error('no account');
    const account = { source: 'crm', name: crm.name };
    const request = { account, password: newPassword() };
    const { body } = await api.send('POST', '/v1/changes', { key: desk, body: request });
    expect(await suite.lockstep.readEnd(String(body.id))).toMatchObject({ state: 'done' });
    const other = await encode('mysql-native', Secret.fromText(newPassword()));
    expect((await capture(crm, other)).status).toBe(202);
  });

  test(keeps('the mapping of an account that got a hash is out of sync', 17), async () => {
    await suite.lockstep.configure(document('apps'));
    const { db } = suite.lockstep.database;
    const { person, auth, crm } = await addPerson('apps');
    const identity = await findIdentity(db, { name: person });
    const account = identity?.accounts.find(({ name }) => name === auth.name);
    const link = { identityId: identity?.id ?? '', accountId: account?.id ?? '' };
    await linkMapping(db, { ...link, application: 'reports', enabled: true }, 'test');
    const hash = await encode('ssha512', Secret.fromText(newPassword()));
    const { body } = await capture(crm, hash);
    await suite.lockstep.readEnd(String(body.id));
    const mapping = await db
      .selectFrom('mapping')
      .selectAll()
      .where('account_id', '=', link.accountId)
      .executeTakeFirstOrThrow();
    expect(mapping).toMatchObject({ state: 'out_of_sync', reason: 'hash_only', sealed: null });
  });

  test('a hash that cannot be read back is applied without proof', async () => {
    await suite.lockstep.configure(document('warehouse', 'scram-sha-256'));
    const { auth, crm } = await addPerson('warehouse');
    const word = newPassword();
    const verifier = await encode('scram-sha-256', Secret.fromText(word));
    const { body } = await capture(crm, verifier);
    expect(await outcomes(body.id)).toEqual([
      ['warehouse', 'applied', null, 'none'],
      ['crm', 'applied', 'origin', 'none'],
    ]);
    expect(await auth.logsIn(word)).toBe(true);
  });

  test('a hash that the password policy of a directory refuses is rejected with the reason', async () => {
    await suite.lockstep.configure(document('directory'));
    const { auth, crm } = await addPerson('directory');
    const word = newPassword();
    await crm.changeThere(word);
    const { body } = await capture(crm, await rowOf(crm));
    expect(await outcomes(body.id)).toEqual([
      ['directory', 'rejected', 'encoding_not_supported', 'none'],
      ['crm', 'applied', 'origin', 'none'],
    ]);
    expect(await auth.logsIn(word)).toBe(false);
  });

  test('a hash is rejected, and not written as a password, when its source no longer takes the scheme', async () => {
    await suite.lockstep.configure(document('apps'));
    const { auth, crm } = await addPerson('apps');
    const hash = await encode('ssha512', Secret.fromText(newPassword()));
    const { apps, ...sources } = document('apps').sources;
    await suite.takeAway('apps');
    const { body } = await capture(crm, hash);
    await suite.lockstep.readUntil(String(body.id), ({ accounts }) =>
      accounts.some(({ state }) => state === 'waiting'),
    );
    const forgetful = { ...apps, settings: { ...apps?.settings, hashes: [] } };
    await suite.lockstep.configure({
      ...document('apps'),
      sources: { ...sources, apps: forgetful },
    });
    await suite.company.proxies.apps.pass();
    await suite.lockstep.forgetTroubles();
    await suite.lockstep.command(String(body.id), 'retry');
    expect(await outcomes(body.id)).toEqual([
      ['apps', 'rejected', 'encoding_not_supported', 'none'],
      ['crm', 'applied', 'origin', 'none'],
    ]);
    expect(await auth.logsIn(hash)).toBe(false);
  });
});
