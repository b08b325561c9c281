import { linkOf, type StoredProblem } from '../../../model/people/links';
import { isSameName, linkedAccount, type Naming } from '../../../model/people/naming';

/** Names that compare without case, and ids of which those with a dash last. */
const naming: Naming = {
  canonicalName: (name) => name.toLowerCase(),
  canonicalValue: (_attribute, value) => value,
  canonicalId: (nativeId) => nativeId.toLowerCase(),
  isLasting: (id) => id.includes('-'),
};
const link = (name: string, nativeId: string | null, problem: StoredProblem | null = null) => ({
  ...{ id: `${name}/${nativeId}`, identityId: name, name, nativeId, problem },
});
const account = (name: string, nativeId: string | null) => ({ name, nativeId });

const found = (links: ReturnType<typeof link>[], name: string, nativeId: string | null = null) =>
  linkOf(naming, links, account(name, nativeId));

describe('the link that means an account', () => {
  test('a link means an account that has its name in another spelling', () => {
    const ann = link('Ann', null);
    expect(found([ann], 'ANN')).toEqual({ match: 'one', link: ann, renamed: false });
    expect(found([ann], 'bob').match).toBe('none');
    expect(isSameName(naming, 'Ann', 'ANN')).toBe(true);
  });

  test('a link with another id does not mean the account with its name', () => {
    expect(found([link('ann', 'id-1')], 'ann', 'id-2')).toMatchObject({
      ...{ match: 'contested', meant: [] },
    });
  });

  test('a lasting id means its link although the name belongs to another link, and an id that may return does not', () => {
    const [owner, heir] = [link('ann', 'id-1'), link('bob', 'id-2')];
    expect(found([owner, heir], 'bob', 'id-1')).toMatchObject({ match: 'one', renamed: true });
    const [first, second] = [link('ann', '1'), link('bob', '2')];
    expect(found([first, second], 'bob', '1').match).toBe('contested');
  });

  test('a link that is one of two to an account means no account', () => {
    expect(found([link('ann', null, 'linked_twice')], 'ann').match).toBe('contested');
  });
});

describe('the account that a link means', () => {
  const meant = (
    nativeId: string | null,
    named: ReturnType<typeof account> | null,
    identified: ReturnType<typeof account> | null,
  ) => linkedAccount(naming, account('ann', nativeId), named, identified);

  test('an account with the name is meant if its id agrees or is not known yet', () => {
    const ann = account('ann', 'id-1');
    for (const id of ['id-1', null])
      expect(meant(id, ann, null)).toEqual({ found: true, account: ann, renamed: false });
  });

  test('an account that took the name is not meant', () => {
    const heir = account('ann', 'id-2');
    expect(meant('id-1', heir, null)).toEqual({ found: false, problem: 'account_replaced' });
    expect(meant('id-1', null, null)).toEqual({ found: false, problem: 'no_account' });
  });

  test('an account that the source finds by the id is not meant if it has another id', () => {
    const [heir, other] = [account('ann', 'id-2'), account('bob', 'id-10')];
    expect(meant('id-1', heir, other)).toEqual({ found: false, problem: 'account_replaced' });
    expect(meant('id-1', null, other)).toEqual({ found: false, problem: 'no_account' });
  });

  test('an id has the same meaning in another spelling', () => {
    const moved = account('bob', 'id-a');
    expect(meant('ID-A', null, moved)).toMatchObject({ found: true, account: moved });
    const ann = link('ann', 'id-a');
    expect(found([ann], 'bob', 'ID-A')).toMatchObject({ match: 'one', link: ann, renamed: true });
  });

  test('an account with another name is meant by a lasting id only', () => {
    const [moved, reused] = [account('bob', 'id-1'), account('bob', '1')];
    expect(meant('id-1', null, moved)).toEqual({ found: true, account: moved, renamed: true });
    expect(meant('1', null, reused)).toEqual({ found: false, problem: 'account_renamed' });
  });
});
