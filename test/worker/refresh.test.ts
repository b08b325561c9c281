import { randomBytes } from 'node:crypto';
import type { Dependencies } from '../../activities/dependencies';
import type { Connector, ListAnswer } from '../../connectors/contract';
import { accountRulesOf } from '../../connectors/registry';
import {
  configurationSchema,
  emptyConfiguration,
  type SourceConfiguration,
} from '../../model/configuration/document';
import { exactRules } from '../../model/people/naming';
import { saveIdentity } from '../../store/people/identities';
import type { SourceJob } from '../../store/sources/jobs';
import { lookAtSource } from '../../worker/jobs/look-at-source';
import { refreshSource } from '../../worker/jobs/refresh-source';
import { ldapAdmin, ldapSubject } from '../connectors/ldap-subject';
import { openSubject } from '../connectors/open-subject';
import { type TestDatabase, testDatabase } from '../support/database';
import { keeps } from '../support/rules';
import { describeWith } from '../support/servers';
import { suffixes } from '../support/servers/slapd';

describeWith(['slapd', 'postgres'], 'a refresh', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase();
  });
  afterAll(() => database.close());

  const configured = (more: object = {}): SourceConfiguration =>
    configurationSchema.parse({
      version: 1,
      sources: {
        directory: {
          kind: 'ldap',
          settings: subject.settings(subject.server),
          createIdentities: { name: 'uid', attributes: { display: 'cn' } },
          ...more,
        },
      },
    }).sources.directory as SourceConfiguration;
  const refresh = async (
    name: string,
    connector: Parameters<typeof refreshSource>[3],
    more: object = {},
    parameters: object = {},
  ) => {
    const source = configured(more);
    return refreshSource(
      { db: database.db } as Dependencies,
      {
        id: 'job',
        source: name,
        kind: 'refresh',
        parameters,
        requestedBy: 'test',
      } as unknown as SourceJob,
      source,
      connector,
      accountRulesOf(source),
      emptyConfiguration,
    );
  };
  const linked = async (name: string) =>
    (
      await database.db.selectFrom('account').select('name').where('source', '=', name).execute()
    ).map((account) => account.name);

  const subject = ldapSubject({ title: 'refresh', suffix: suffixes.free, changes: {} });

  test('a refresh skips and names an account with a NUL byte, and links the others', async () => {
    const admin = await ldapAdmin(suffixes.free);
    const odd = await admin.addAccount({ cn: 'odd\0name' });
    const good = await admin.addAccount();
    const connector = await openSubject(subject);
    const result = await refresh('directory', connector);
    expect(result).toMatchObject({
      failed: null,
      unreadable: { count: 1, first: [odd.ref.name] },
    });
    const names = await linked('directory');
    expect(names).toContain(good.ref.name);
    expect(names).not.toContain(odd.ref.name);
    await admin.client.del(odd.ref.name);
    await admin.close();
    await connector.close();
  });

  test('a refresh links nothing by a partial list', async () => {
    const admin = await ldapAdmin(suffixes.free);
    await admin.addAccount();
    const connector = await openSubject(subject);
    let pages = 0;
    const cutShort: typeof connector.list = async (request): Promise<ListAnswer> =>
      ++pages === 1
        ? {
            ...((await connector.list(request)) as Extract<ListAnswer, { result: 'page' }>),
            cursor: 'next',
          }
        : { result: 'failed', reason: 'not_supported', vendorCode: '4' };
    const result = await refresh('partial', { ...connector, list: cutShort });
    expect(result).toMatchObject({ failed: 'not_supported', linked: 0, peopleAdded: 0 });
    expect(result.read).toBeGreaterThan(0);
    expect(await linked('partial')).toEqual([]);
    await admin.close();
    await connector.close();
  });

  describe('the accounts of a source that changed', () => {
    const onlyCorrelated = { createIdentities: undefined, correlate: [{ mail: 'mail' }] };
    /** A source of its own, with one linked person, of which `list` shows only the accounts of this test. */
    async function setUp() {
      const admin = await ldapAdmin(suffixes.free);
      const source = `source-${randomBytes(4).toString('hex')}`;
      const mail = `${randomBytes(5).toString('hex')}@refresh.test`;
      const account = await admin.addAccount({ mail: [`first.${mail}`, mail.toUpperCase()] });
      const connector = await openSubject(subject);
      const mine = new Set<string>([account.ref.name]);
      const among = { ...connector, list: onlyThese(connector.list, mine) };
      const person = { name: `person-${mail}`, attributes: { mail } };
      await saveIdentity(database.db, person, [], 'operator', 'test', () => exactRules);
      const links = async () =>
        database.db
          .selectFrom('account')
          .innerJoin('identity', 'identity.id', 'account.identity_id')
          .select(['identity.name as person', 'account.name', 'native_id', 'problem'])
          .where('source', '=', source)
          .execute();
      return {
        ...{ admin, account, connector, mine, person, links, mail, source },
        run: (parameters: object = {}) => refresh(source, among, onlyCorrelated, parameters),
        reported: async () =>
          (await refresh(source, among, onlyCorrelated)).reports.map(({ code, first }) => [
            code,
            first.map(({ name, now }) => now ?? name),
          ]),
        async close() {
          await connector.close();
          await admin.close();
        },
      };
    }
    const onlyThese =
      (list: Connector['list'], names: ReadonlySet<string>): Connector['list'] =>
      async (request) => {
        const answer = await list(request);
        return answer.result === 'failed'
          ? answer
          : { ...answer, accounts: answer.accounts.filter(({ name }) => names.has(name)) };
      };

    test('a refresh and the search of a change link the same account, by any of its values and without regard to case', async () => {
      const { run, account, connector, links, person, mail, close } = await setUp();
      const found = await connector.find({ match: { mail }, limit: 2 });
      expect(found).toMatchObject({ result: 'found', accounts: [{ name: account.ref.name }] });
      expect(await run({ preview: true })).toMatchObject({ linked: 1 });
      expect(await links()).toEqual([]);
      expect(await run()).toMatchObject({ linked: 1, ambiguous: { count: 0 } });
      expect(await links()).toEqual([
        {
          person: person.name,
          name: account.ref.name,
          native_id: account.ref.nativeId,
          problem: null,
        },
      ]);
      await close();
    });

    test(
      keeps('a rename followed by a refresh makes no second owner, and the link follows', 6),
      async () => {
        const { admin, account, mine, run, reported, links, person, close } = await setUp();
        await run();
        const renamed = account.ref.name.replace('uid=', 'uid=renamed-');
        await admin.client.modifyDN(account.ref.name, renamed);
        const other = await admin.addAccount();
        await admin.client.modifyDN(other.ref.name, account.ref.name);
        mine.add(renamed);
        expect(await reported()).toEqual([['renamed', [renamed]]]);
        expect(await links()).toMatchObject([{ person: person.name, name: renamed }]);
        expect(await reported()).toEqual([]);
        await close();
      },
    );

    test('an entry that was created again is reported with its remedy, and a new link by an operator helps', async () => {
      const { admin, account, source, run, reported, links, close, person } = await setUp();
      await run();
      await admin.client.del(account.ref.name);
      const other = await admin.addAccount();
      await admin.client.modifyDN(other.ref.name, account.ref.name);
      expect(await reported()).toEqual([['recreated', [account.ref.name]]]);
      expect(await links()).toMatchObject([{ problem: 'account_replaced' }]);
      const link = { source, name: account.ref.name, nativeId: null, primary: false };
      const rules = accountRulesOf(configured());
      await saveIdentity(database.db, person, [link], 'operator', 'test', () => rules);
      expect(await reported()).toEqual([]);
      expect(await links()).toMatchObject([{ native_id: other.ref.nativeId, problem: null }]);
      await close();
    });

    test('a deleted entry is reported as vanished by a complete list only', async () => {
      const { admin, account, connector, source, run, reported, close } = await setUp();
      await run();
      await admin.client.del(account.ref.name);
      const partial: Connector['list'] = async () => ({
        ...{ result: 'failed', reason: 'not_supported', vendorCode: '4' },
      });
      const cut = await refresh(source, { ...connector, list: partial }, onlyCorrelated);
      expect(cut).toMatchObject({ failed: 'not_supported', reports: [] });
      expect(await reported()).toEqual([['vanished', [account.ref.name]]]);
      await close();
    });

    test('an account that was linked by its name gets its id from a refresh, and two links to it are reported', async () => {
      const { account, source, person, run, reported, links, close } = await setUp();
      const link = async (name: string, who: string) =>
        saveIdentity(
          database.db,
          { name: who, attributes: {} },
          [{ source, name, nativeId: null, primary: false }],
          'operator',
          'test',
          () => accountRulesOf(configured()),
        );
      await link(account.ref.name.replaceAll(',', ', ').toUpperCase(), person.name);
      await run();
      expect(await links()).toMatchObject([
        { name: account.ref.name, native_id: account.ref.nativeId },
      ]);
      await database.db
        .updateTable('account')
        .set({ name: 'uid=former,dc=test', name_key: 'uid=former,dc=test' })
        .where('source', '=', source)
        .execute();
      await link(account.ref.name, 'second-owner');
      expect(await reported()).toEqual([['duplicate', ['uid=former,dc=test', account.ref.name]]]);
      await close();
    });

    test('a look learns ids and new names, and records that another account has the name of a linked one', async () => {
      const { admin, account, connector, source, person, links, close } = await setUp();
      const rules = accountRulesOf(configured());
      const look = () => lookAtSource(database.db, source, connector, rules);
      const link = { source, name: account.ref.name.toUpperCase(), nativeId: null, primary: true };
      await saveIdentity(database.db, person, [link], 'operator', 'test', () => rules);
      await look();
      expect(await links()).toMatchObject([
        { name: account.ref.name, native_id: account.ref.nativeId },
      ]);
      await admin.client.del(account.ref.name);
      const other = await admin.addAccount();
      await admin.client.modifyDN(other.ref.name, account.ref.name);
      expect(await look()).toMatchObject({ failed: null });
      expect(await links()).toMatchObject([{ problem: 'account_replaced' }]);
      await close();
    });

    test('an entry that cannot be read keeps only those accounts from being linked that it may be confused with', async () => {
      const { account, connector, source, mine, links, close } = await setUp();
      const list = onlyThese(connector.list, mine);
      const withMalformed: Connector['list'] = async (request) => ({
        ...((await list(request)) as Extract<ListAnswer, { result: 'page' }>),
        ...(request.cursor === null && { malformed: ['#7'] }),
      });
      const confused: Connector['find'] = async () => ({
        ...{ result: 'failed', reason: 'unknown', vendorCode: null },
      });
      const doubtful = { ...connector, list: withMalformed, find: confused };
      expect(await refresh(source, doubtful, onlyCorrelated)).toMatchObject({
        ...{ linked: 0, failed: null, unreadable: { count: 1, first: ['#7'] } },
        ambiguous: { count: 1, first: [account.ref.name] },
      });
      expect(await links()).toEqual([]);
      const certain = { ...connector, list: withMalformed };
      expect(await refresh(source, certain, onlyCorrelated)).toMatchObject({ linked: 1 });
      await close();
    });
  });
});
