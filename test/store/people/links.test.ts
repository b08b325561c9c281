import { exactRules, type Naming } from '../../../model/people/naming';
import { findIdentity, saveIdentity } from '../../../store/people/identities';
import {
  endProblem,
  findLink,
  learnAccount,
  learnAccounts,
  linkAccount,
  noteProblem,
  readLinks,
  unlinkAccount,
} from '../../../store/people/links';
import { type TestDatabase, testDatabase } from '../../support/database';
import { describeWith } from '../../support/servers';

describeWith(['postgres'], 'the links of accounts', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase();
  });
  afterAll(() => database.close());

  const naming: Naming = {
    canonicalName: (name) => name.toLowerCase(),
    canonicalValue: (_attribute, value) => value,
    canonicalId: (nativeId) => nativeId.toLowerCase(),
    isLasting: (id) => id.startsWith('lasting'),
  };
  const rules = { ...exactRules, naming };
  let sources = 0;
  /** A source in which each of these people has one account. */
  async function sourceWith(...people: (readonly [name: string, nativeId: string | null])[]) {
    const source = `source-${++sources}`;
    const link = (person: string, name: string, nativeId: string | null = null) =>
      saveIdentity(
        database.db,
        { name: `${person} of ${source}`, attributes: {} },
        [{ source, name, nativeId, primary: false }],
        'operator',
        'test',
        () => rules,
      );
    for (const [name, nativeId] of people) expect(await link(name, name, nativeId)).toEqual([]);
    const links = () => readLinks(database.db, source);
    const linkOf = async (name: string) => (await links()).find((one) => one.name === name);
    return { source, link, links, linkOf };
  }

  test('processes that link one account to two people at the same time link it to one of them', async () => {
    const { link, links } = await sourceWith();
    const spellings = ['zed', 'ZED', 'Zed', 'zEd', 'zeD'];
    const conflicts = await Promise.all(
      spellings.map((name, index) => link(`person ${index}`, name)),
    );
    expect(conflicts.filter(({ length }) => length === 0)).toHaveLength(1);
    expect(await links()).toHaveLength(1);
  });

  test('saving some attributes keeps those that another process has changed in the meantime', async () => {
    const { db } = database;
    const save = (attributes: Record<string, string>, keepsAttributes: boolean) =>
      saveIdentity(
        db,
        { name: 'merged', attributes, keepsAttributes },
        [],
        'operator',
        'test',
        () => rules,
      );
    await save({ mail: 'a@x', phone: '1' }, false);
    const attributesOf = async () => (await findIdentity(db, { name: 'merged' }))?.attributes;
    await Promise.all(
      Array.from({ length: 10 }, (_, at) => save({ [`of${at}`]: String(at) }, true)),
    );
    expect(Object.keys((await attributesOf()) ?? {})).toHaveLength(12);
    await save({ mail: 'b@x' }, false);
    expect(await attributesOf()).toEqual({ mail: 'b@x' });
  });

  test('an id in another spelling is that of the account which is linked already', async () => {
    const { link, links } = await sourceWith(['a', 'lasting-c3']);
    expect(await link('another person', 'b', 'LASTING-C3')).toMatchObject([
      { why: 'linked_to_another_person', linkedAs: ['a'] },
    ]);
    expect(await link('a third person', 'c', 'LASTING-D4')).toEqual([]);
    expect((await links()).map(({ nativeId }) => nativeId)).toEqual(['lasting-c3', 'lasting-d4']);
  });

  test('an id is learnt for one link only, even by two workers at the same time', async () => {
    const { linkOf } = await sourceWith(['a', null], ['b', null]);
    const [a, b] = [await linkOf('a'), await linkOf('b')];
    const results = await Promise.all(
      [a, b].map((one) =>
        learnAccount(
          database.db,
          one?.id ?? '',
          { name: one?.name ?? '', nativeId: 'lasting-1' },
          naming,
        ),
      ),
    );
    expect(results.toSorted()).toEqual(['learnt', 'linked_twice']);
  });

  test('a new name is not stored while another link has it, and the id is learnt all the same', async () => {
    const { linkOf } = await sourceWith(['a', null], ['b', null]);
    const a = await linkOf('a');
    const shown = { name: 'B', nativeId: 'lasting-2' };
    expect(await learnAccount(database.db, a?.id ?? '', shown, naming)).toBe('learnt');
    expect(await linkOf('a')).toMatchObject({ name: 'a', nativeId: 'lasting-2' });
  });

  test('accounts that exchanged their names keep their links', async () => {
    const { source, links } = await sourceWith(['a', 'lasting-3'], ['b', 'lasting-4']);
    const seen = (await links()).map((link) => ({
      link,
      account: { name: link.name === 'a' ? 'b' : 'a', nativeId: link.nativeId },
      takesName: true,
    }));
    await learnAccounts(database.db, source, seen, naming, 'test');
    expect((await links()).map(({ name, nativeId }) => [name, nativeId])).toEqual(
      expect.arrayContaining([
        ['b', 'lasting-3'],
        ['a', 'lasting-4'],
      ]),
    );
  });

  test('a found account is that of the link with its lasting id, whatever its name', async () => {
    const { source } = await sourceWith(['a', 'lasting-5'], ['b', 'reused-6'], ['c', null]);
    const found = async (name: string, nativeId: string | null) =>
      (await findLink(database.db, source, naming, { name, nativeId }))?.name ?? null;
    expect(await found('renamed', 'lasting-5')).toBe('a');
    expect(await found('A', null)).toBe('a');
    expect(await found('a', 'lasting-7')).toBeNull();
    expect(await found('renamed', 'reused-6')).toBeNull();
    expect(await found('B', 'reused-6')).toBe('b');
    expect(await found('C', 'lasting-8')).toBe('c');
    expect(await found('B', 'lasting-5')).toBe('a');
    expect(await found('C', 'lasting-5')).toBeNull();
  });

  test('an account that is linked twice names no person until one link is removed', async () => {
    const { source, link, linkOf } = await sourceWith(['a', null], ['b', null]);
    await database.db
      .updateTable('account')
      .set({ problem: 'linked_twice', name_key: 'a' })
      .where('source', '=', source)
      .execute();
    const person = () => findIdentity(database.db, { source, account: 'A', naming });
    expect(await person()).toBeNull();
    expect(await link('third', 'a')).toMatchObject([{ why: 'linked_to_another_person' }]);
    const removed = { source, name: 'b' };
    await unlinkAccount(database.db, `b of ${source}`, removed, 'test', naming);
    expect(await linkOf('a')).toMatchObject({ problem: null });
    expect((await person())?.name).toBe(`a of ${source}`);
  });

  test('correlation never moves a link, and an operator may replace the id of the link of the same person', async () => {
    const { source, link, linkOf } = await sourceWith(['a', 'lasting-9']);
    const a = await linkOf('a');
    const again = { source, name: 'A', nativeId: 'lasting-10', primary: false };
    const correlated = await linkAccount(
      database.db,
      a?.identityId ?? '',
      again,
      'correlation',
      'worker',
      rules,
    );
    expect(correlated).toMatchObject({ conflict: { why: 'linked_twice', linkedAs: ['a'] } });
    expect(await link('a', 'A', 'lasting-10')).toEqual([]);
    expect(await linkOf('a')).toMatchObject({ nativeId: 'lasting-10' });
  });

  test('only an operator makes Lockstep forget the outdated id of a link', async () => {
    const { source, link, linkOf } = await sourceWith(['a', 'lasting-20']);
    const a = await linkOf('a');
    const problem = 'account_replaced';
    await noteProblem(database.db, [String(a?.id)], problem);
    const again = { source, name: 'a', nativeId: null, primary: false };
    await linkAccount(database.db, String(a?.identityId), again, 'scim', 'test', rules);
    expect(await linkOf('a')).toMatchObject({ nativeId: 'lasting-20', problem });
    expect(await link('a', 'a')).toEqual([]);
    expect(await linkOf('a')).toMatchObject({ nativeId: null, problem: null });
  });

  test('a later problem of a link replaces an earlier one, and never that it is one of two links', async () => {
    const { linkOf } = await sourceWith(['a', 'lasting-21']);
    const problemOf = async () => (await linkOf('a'))?.problem;
    const id = String((await linkOf('a'))?.id);
    for (const problem of ['no_account', 'account_replaced'] as const) {
      await noteProblem(database.db, [id], problem);
      expect(await problemOf()).toBe(problem);
    }
    const set = { problem: 'linked_twice' as const };
    await database.db.updateTable('account').set(set).where('id', '=', id).execute();
    await noteProblem(database.db, [id], 'no_account');
    await endProblem(database.db, id);
    expect(await problemOf()).toBe('linked_twice');
  });
});
