import { accountKeys, decide, matchFor } from '../../../model/people/correlation';
import { exactNaming, exactRules, type Naming } from '../../../model/people/naming';
import { type RefreshInput, sortAccounts } from '../../../model/people/refresh';

const person = (id: string, attributes: Record<string, string> = {}) => ({
  id,
  name: id,
  attributes,
});
const account = (
  name: string,
  attributes: Record<string, string | string[]> = {},
  nativeId: string | null = null,
) => ({
  name,
  nativeId,
  attributes: Object.fromEntries(
    Object.entries(attributes).map(([attribute, values]) => [attribute, [values].flat()]),
  ),
});
const link = (name: string, owner: string, nativeId: string | null = null) => ({
  id: `acc_${name}_${owner}`,
  identityId: owner,
  person: owner,
  name,
  nativeId,
  problem: null,
});

/** Names and values without regard to case, and ids that last. */
const folding: Naming = {
  canonicalName: (name) => name.toLowerCase(),
  canonicalValue: (_attribute, value) => value.toLowerCase(),
  canonicalId: (nativeId) => nativeId,
  isLasting: () => true,
};
const foldingRules = { ...exactRules, naming: folding };

type Input = RefreshInput<ReturnType<typeof account>, ReturnType<typeof person>>;
const sort = (input: Partial<Input>) =>
  sortAccounts({
    accounts: [],
    unreadable: [],
    complete: true,
    rules: foldingRules,
    correlate: [{ mail: 'mail' }, { uid: 'name' }],
    createIdentities: undefined,
    people: [],
    links: [],
    ...input,
  });
const links = (sorted: ReturnType<typeof sort>) =>
  sorted.toLink.map((one) => [one.account.name, one.person.id]);
const names = (accounts: readonly { readonly name: string }[]) => accounts.map(({ name }) => name);

describe('correlation', () => {
  test('a person without the attribute is not looked up, because an empty value would match every account without one', () => {
    expect(matchFor({ mail: 'mail' }, person('alice'))).toBeNull();
    expect(matchFor({ mail: 'mail' }, person('alice', { mail: '' }))).toBeNull();
    expect(matchFor({}, person('alice'))).toBeNull();
    expect(matchFor({ uid: 'name' }, person('alice'))).toEqual({ uid: 'alice' });
  });

  test('one match is used, no match is none, and two matches are ambiguous', () => {
    expect(decide(['a'])).toEqual({ found: 'one', account: 'a' });
    expect(decide([])).toEqual({ found: 'none' });
    expect(decide(['a', 'b'])).toEqual({ found: 'several' });
  });

  test('an account has a key for each combination of its values, and none if an attribute is missing', () => {
    const attributes = { mail: ['a', 'b'], cn: ['x'] };
    expect(accountKeys(exactNaming, ['mail', 'cn'], attributes)).toEqual([
      '["a","x"]',
      '["b","x"]',
    ]);
    expect(accountKeys(exactNaming, ['mail', 'sn'], attributes)).toEqual([]);
  });
});

describe('a refresh', () => {
  test('a refresh links an account by the first rule that finds one for a person', () => {
    const alice = person('alice', { mail: 'a@corp.test' });
    const sorted = sort({
      accounts: [account('x1', { mail: 'a@corp.test' }), account('x2', { uid: 'bob' })],
      people: [alice, person('bob')],
    });
    expect(links(sorted)).toEqual([
      ['x1', 'alice'],
      ['x2', 'bob'],
    ]);
  });

  test('a refresh looks at every value of an attribute, without regard to case where the source has none', () => {
    const sorted = sort({
      accounts: [account('x1', { mail: ['first@corp.test', 'Alice@Corp.Test'] })],
      people: [person('alice', { mail: 'alice@corp.test' })],
    });
    expect(links(sorted)).toEqual([['x1', 'alice']]);
    const exactly = sort({
      accounts: [account('x1', { mail: ['Alice@Corp.Test'] })],
      people: [person('alice', { mail: 'alice@corp.test' })],
      rules: exactRules,
    });
    expect(links(exactly)).toEqual([]);
  });

  test('two accounts that match one person are both ambiguous', () => {
    const sorted = sort({
      accounts: [account('x1', { uid: 'bob' }), account('x2', { uid: 'bob' })],
      people: [person('bob')],
    });
    expect(sorted.toLink).toEqual([]);
    expect(names(sorted.ambiguous)).toEqual(['x1', 'x2']);
  });

  test('an account that any rule matches with another person is ambiguous', () => {
    const mail = 'shared@corp.test';
    const alice = person('alice', { mail });
    const accounts = [account('x1', { mail, uid: 'bob' })];
    expect(sort({ accounts, people: [alice, person('bob', { mail })] }).ambiguous).toHaveLength(1);
    expect(sort({ accounts, people: [alice, person('bob')] }).ambiguous).toHaveLength(1);
  });

  test('a second account of a person with a linked account is not linked automatically', () => {
    const sorted = sort({
      accounts: [account('old', { uid: 'bob' }), account('new', { uid: 'bob' })],
      people: [person('bob')],
      links: [link('old', 'bob')],
    });
    expect(sorted.seen).toHaveLength(1);
    expect(names(sorted.ambiguous)).toEqual(['new']);
  });

  test('an account that cannot be stored keeps another account of the same person from being linked', () => {
    const sorted = sort({
      accounts: [account('x1', { uid: 'bob' })],
      unreadable: [account('x2\0', { uid: 'bob' })],
      people: [person('bob')],
    });
    expect(links(sorted)).toEqual([]);
    expect(names(sorted.ambiguous)).toEqual(['x1']);
  });

  test('people are added only with createIdentities, once each, and never in place of a known person', () => {
    const accounts = [
      account('x1', { uid: 'carol', cn: 'Carol' }),
      account('x2', { uid: 'Carol' }),
      account('x3', {}),
    ];
    expect(sort({ accounts }).toAdd).toEqual([]);
    const createIdentities = { name: 'uid', attributes: { fullName: 'cn' } };
    const sorted = sort({ accounts, createIdentities, correlate: [] });
    expect(sorted.toAdd.map((one) => one.person)).toEqual([
      { name: 'carol', attributes: { fullName: 'Carol' } },
    ]);
    expect(names(sorted.unmatched)).toEqual(['x2', 'x3']);
    const known = sort({ accounts, createIdentities, correlate: [], people: [person('carol')] });
    expect(known.toAdd).toEqual([]);
  });
});

describe('a refresh compares the list with the links', () => {
  const zed = { uid: 'zed' };
  const reported = (input: Partial<Input>) =>
    Object.fromEntries(
      Object.entries(sort(input).reports)
        .filter(([, accounts]) => accounts.length > 0)
        .map(([code, accounts]) => [code, accounts.map(({ name }) => name)]),
    );

  test('a renamed account keeps its owner, and the account that took its name is free for another person', () => {
    const sorted = sort({
      accounts: [account('zed2', {}, 'id-1'), account('zed', zed, 'id-2')],
      people: [person('owner'), person('zed')],
      links: [link('zed', 'owner', 'id-1')],
    });
    expect(sorted.reports.renamed).toEqual([{ name: 'zed', now: 'zed2', person: 'owner' }]);
    expect(sorted.seen).toMatchObject([{ account: { name: 'zed2' }, takesName: true }]);
    expect(links(sorted)).toEqual([['zed', 'zed']]);
  });

  test('a rename makes no second owner, whichever rules match the new name', () => {
    const sorted = sort({
      accounts: [account('zed', zed, 'id-1')],
      people: [person('owner'), person('zed')],
      links: [link('before', 'owner', 'id-1')],
    });
    expect(sorted.toLink).toEqual([]);
    expect(sorted.ambiguous).toEqual([]);
  });

  test('two accounts that exchanged their names keep their owners', () => {
    const sorted = sort({
      accounts: [account('b', {}, 'id-1'), account('a', {}, 'id-2')],
      links: [link('a', 'alice', 'id-1'), link('b', 'bob', 'id-2')],
    });
    expect(sorted.seen.map(({ link: { person: who }, account: { name } }) => [who, name])).toEqual([
      ['alice', 'b'],
      ['bob', 'a'],
    ]);
    expect(sorted.seen.every(({ takesName }) => takesName)).toBe(true);
  });

  test('an entry with the same RDN under another parent was moved', () => {
    expect(
      reported({
        accounts: [account('uid=zed,ou=new,dc=test', {}, 'id-1')],
        links: [link('uid=zed,ou=old,dc=test', 'zed', 'id-1')],
      }),
    ).toEqual({ moved: ['uid=zed,ou=old,dc=test'] });
  });

  test('an account that was created again under its name is reported, and is linked to no other person', () => {
    const input = {
      accounts: [account('zed', zed, 'id-2')],
      people: [person('zed')],
      links: [link('zed', 'owner', 'id-1')],
    };
    expect(reported(input)).toEqual({ recreated: ['zed'] });
    expect(sort(input).problems.account_replaced).toHaveLength(1);
    expect(sort(input).toLink).toEqual([]);
  });

  test('a linked account that the source no longer lists has vanished, unless the list is partial or it cannot be read', () => {
    const input = { links: [link('zed', 'owner', 'id-1')] };
    expect(reported(input)).toEqual({ vanished: ['zed'] });
    expect(reported({ ...input, complete: false })).toEqual({});
    expect(reported({ ...input, unreadable: [account('ZED', { cn: 'a\0b' })] })).toEqual({});
  });

  test('an id that the source may use again shows no rename: it is reported, and the link stays', () => {
    const rules = { ...foldingRules, naming: { ...folding, isLasting: () => false } };
    const input = {
      rules,
      accounts: [account('bob', { uid: 'bob' }, '5')],
      people: [person('bob')],
      links: [link('alice', 'alice', '5')],
    };
    expect(reported(input)).toEqual({ id_renamed: ['alice'] });
    expect(sort(input).toLink).toEqual([]);
    expect(sort(input).seen).toEqual([]);
    const restored = {
      ...input,
      accounts: [account('alice', {}, '7'), account('bob', {}, '5')],
      links: [link('alice', 'alice', '5'), link('bob', 'bob', '6')],
    };
    expect(reported(restored)).toEqual({ recreated: ['alice', 'bob'] });
  });

  test('a renamed account whose new name another link holds is not reported as followed', () => {
    const input = {
      accounts: [account('x2', {}, 'id-1')],
      links: [link('x1', 'owner', 'id-1'), link('x2', 'other', 'id-9')],
    };
    expect(reported(input)).toEqual({ name_taken: ['x1'], recreated: ['x2'] });
    expect(sort(input).seen).toMatchObject([{ takesName: false }]);
  });

  test('an account that no report about a link covers is reported by itself, so that every account is in one group', () => {
    const rules = { ...foldingRules, naming: { ...folding, isLasting: () => false } };
    const input = {
      rules,
      accounts: [account('alice2', {}, '1'), account('alice', {}, '2')],
      links: [link('alice', 'alice', '1')],
    };
    expect(reported(input)).toEqual({ recreated: ['alice'], uncertain: ['alice2'] });
    expect(reported({ ...input, complete: false })).toEqual({ uncertain: ['alice2', 'alice'] });
  });

  test('two links to one account are both reported, and two listed accounts with one name or id are not linked', () => {
    expect(
      reported({
        accounts: [account('zed2', {}, 'id-1')],
        links: [link('zed', 'owner', 'id-1'), link('zed2', 'other')],
      }),
    ).toEqual({ duplicate: ['zed', 'zed2'] });
    const twice = {
      accounts: [account('a', zed, 'id-1'), account('A', {}, 'id-2'), account('b', {}, 'id-2')],
      people: [person('zed')],
    };
    expect(reported(twice)).toEqual({ duplicate: ['a', 'A', 'b'] });
    expect(sort(twice).toLink).toEqual([]);
  });

  test('the service account is matched with no person, and an old link to it is reported', () => {
    const rules = { ...foldingRules, isServiceAccount: (name: string) => name === 'svc' };
    const input = {
      rules,
      accounts: [account('svc', { uid: 'svc' })],
      people: [person('svc')],
      createIdentities: { name: 'uid', attributes: {} },
    };
    expect(sort(input)).toMatchObject({ toLink: [], toAdd: [], unmatched: [], ambiguous: [] });
    expect(reported(input)).toEqual({ service_account: ['svc'] });
    expect(reported({ ...input, links: [link('svc', 'somebody')] })).toEqual({
      service_account: ['svc'],
    });
  });
});
