import { decide, matchFor } from '../../../model/people/correlation';
import { type RefreshInput, sortAccounts } from '../../../model/people/refresh';

const person = (id: string, attributes: Record<string, string> = {}) => ({
  id,
  name: id,
  attributes,
});
const account = (name: string, attributes: Record<string, string> = {}) => ({
  name,
  attributes: Object.fromEntries(
    Object.entries(attributes).map(([attribute, value]) => [attribute, [value]]),
  ),
});
type Input = RefreshInput<ReturnType<typeof account>, ReturnType<typeof person>>;
const sort = (input: Partial<Input>) =>
  sortAccounts({
    accounts: [],
    correlate: [{ mail: 'mail' }, { uid: 'name' }],
    createIdentities: undefined,
    people: [],
    linked: new Map(),
    ...input,
  });

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
});

describe('a refresh', () => {
  test('a refresh links an account by the first rule that matches a person', () => {
    const alice = person('alice', { mail: 'a@corp.test' });
    const bob = person('bob');
    const sorted = sort({
      accounts: [account('x1', { mail: 'a@corp.test', uid: 'bob' }), account('x2', { uid: 'bob' })],
      people: [alice, bob],
    });
    expect(sorted.toLink.map((link) => [link.account.name, link.person.id])).toEqual([
      ['x1', 'alice'],
      ['x2', 'bob'],
    ]);
  });

  test('two accounts that match one person are both ambiguous', () => {
    const sorted = sort({
      accounts: [account('x1', { uid: 'bob' }), account('x2', { uid: 'bob' })],
      people: [person('bob')],
    });
    expect(sorted.toLink).toEqual([]);
    expect(sorted.ambiguous.map(({ name }) => name)).toEqual(['x1', 'x2']);
  });

  test('one account that matches two people is ambiguous', () => {
    const mail = 'shared@corp.test';
    const sorted = sort({
      accounts: [account('x1', { mail })],
      people: [person('alice', { mail }), person('bob', { mail })],
    });
    expect(sorted.toLink).toEqual([]);
    expect(sorted.ambiguous).toHaveLength(1);
  });

  test('a second account of a person with a linked account is not linked automatically', () => {
    const sorted = sort({
      accounts: [account('old', { uid: 'bob' }), account('new', { uid: 'bob' })],
      people: [person('bob')],
      linked: new Map([['old', 'bob']]),
    });
    expect(sorted.alreadyLinked).toBe(1);
    expect(sorted.ambiguous.map(({ name }) => name)).toEqual(['new']);
  });

  test('people are added only with createIdentities, once each, and never in place of a known person', () => {
    const accounts = [
      account('x1', { uid: 'carol', cn: 'Carol' }),
      account('x2', { uid: 'carol' }),
      account('x3', {}),
    ];
    expect(sort({ accounts }).toAdd).toEqual([]);
    const createIdentities = { name: 'uid', attributes: { fullName: 'cn' } };
    const sorted = sort({ accounts, createIdentities, correlate: [] });
    expect(sorted.toAdd.map((one) => one.person)).toEqual([
      { name: 'carol', attributes: { fullName: 'Carol' } },
    ]);
    expect(sorted.unmatched.map(({ name }) => name)).toEqual(['x2', 'x3']);
    const known = sort({ accounts, createIdentities, correlate: [], people: [person('carol')] });
    expect(known.toAdd).toEqual([]);
  });
});
