import { authGoesLast, changeState } from '../../../model/change/change';
import { coverage } from '../../../model/change/coverage';
import type { OutcomeState } from '../../../model/change/outcome';
import { type LinkedAccount, passesOver, planChange } from '../../../model/change/plan';
import { type Group, groupRules, type Source } from '../../../model/configuration/group';
import { keeps } from '../../support/rules';

/**
 * One row for each sentence of seed 001 about the behaviour of accounts and groups. The sentence is the title of the
 * test.
 */

const source = (name: string, more: Partial<Source> = {}): Source => ({
  name,
  enabled: true,
  multipleAccountPasswordSync: false,
  lane: 'inline',
  prove: 'always',
  correlates: false,
  ...more,
});
const account = (from: string, name: string, primary = false): LinkedAccount => ({
  id: `${from}/${name}`,
  source: from,
  name,
  primary,
});
const group: Group = {
  name: 'one-password',
  policy: 'everyone',
  authSource: 'corp',
  sources: ['corp', 'apps', 'crm'],
  failureMode: 'continue',
};
const sources = [source('corp'), source('apps'), source('crm')];
const oneEach = [account('corp', 'c1'), account('apps', 'a1'), account('crm', 'm1')];

const plan = (accounts: LinkedAccount[], from: Source[] = sources) =>
  planChange({ groups: [group], sources: from, accounts });
const ends = (auth: OutcomeState, ...members: OutcomeState[]) =>
  changeState([
    { role: 'auth', state: auth },
    ...members.map((state) => ({ role: 'member' as const, state })),
  ]);
const broken = (candidate: Group, all: Group[] = [candidate]) =>
  groupRules.flatMap((rule) => {
    const says = rule.broken(candidate, all);
    return says === false ? [] : [says];
  });

interface Row {
  readonly sentence: string;
  readonly holds: () => void;
}

const rows: Row[] = [
  {
    sentence:
      'If you want a password to be the same across multiple direct connect sources, you can synchronize them by combining them into password sync groups.',
    holds: () =>
      expect(plan(oneEach).map(({ label, role }) => [label, role])).toEqual([
        ['corp', 'auth'],
        ['apps', 'member'],
        ['crm', 'member'],
      ]),
  },
  {
    sentence:
      'At least two direct connect sources that are connected to IdentityNow and configured for password management',
    holds: () => {
      expect(broken(group)).toEqual([]);
      expect(broken({ ...group, sources: ['corp'] })).toEqual([
        expect.stringContaining('fewer than two sources'),
      ]);
    },
  },
  {
    sentence:
      'Under Select Sources, click the check box next to each source you want to belong to the sync group.',
    holds: () =>
      expect(broken({ ...group, name: 'second' }, [group, { ...group, name: 'second' }])).toEqual([
        expect.stringContaining('a source is in at most one group'),
      ]),
  },
  {
    sentence: keeps(
      'Users can change passwords on auth accounts, but if the auth account is disabled at the source, the user cannot log in.',
      2,
    ),
    // Only the source knows whether an account is disabled, so no rule of a plan looks at it.
    holds: () => expect(plan(oneEach)[0]).toMatchObject({ role: 'auth', leftOut: null }),
  },
  {
    sentence:
      'If an auth account password change is unsuccessful, password changes for related password sync groups are not attempted.',
    holds: () => {
      expect(ends('rejected', 'not_attempted', 'not_attempted')).toBe('refused');
      expect(ends('parked', 'pending')).toBe('waiting');
      expect(ends('expired', 'not_attempted')).toBe('expired');
    },
  },
  {
    sentence:
      'If an auth account password changes is successful, password changes for password sync groups are processed.',
    holds: () => {
      const second: Group = { ...group, name: 'second', sources: ['hr', 'erp'] };
      const input = {
        groups: [group, second],
        sources,
        linkedSources: ['corp', 'hr'],
        wanted: null,
      };
      expect(coverage(input)).toEqual({ groups: [group, second] });
      expect(passesOver(plan(oneEach), sources)).toEqual([
        { lane: 'inline', sources: ['apps', 'crm'] },
      ]);
    },
  },
  {
    sentence: keeps(
      'If a password sync group’s account is disabled at the source, IdentityNow will still process the password change and let the source reject the change if necessary.',
      3,
    ),
    holds: () => {
      expect(plan(oneEach).every(({ leftOut }) => leftOut === null)).toBe(true);
      expect(ends('applied', 'applied', 'rejected')).toBe('partial');
    },
  },
  {
    sentence:
      'If the source account fails, the changes for the password sync group will continue to be processed.',
    holds: () => {
      expect(ends('applied', 'rejected', 'pending')).toBe('applying');
      expect(ends('applied', 'rejected', 'waiting')).toBe('waiting');
      expect(ends('applied', 'rejected', 'applied')).toBe('partial');
    },
  },
  {
    sentence:
      'If a source has multiple accounts and multipleAccountPasswordSync is set, the password changes on all accounts on that source are processed.',
    holds: () => {
      const two = [...oneEach, account('apps', 'a2')];
      const all = sources.map((one) => ({ ...one, multipleAccountPasswordSync: true }));
      const changed = (from: Source[]) =>
        plan(two, from).map(({ label, leftOut }) => [label, leftOut]);
      expect(changed(all)).toContainEqual(['apps:2', null]);
      expect(changed(sources)).toContainEqual(['apps:2', 'not_primary']);
    },
  },
  {
    sentence:
      'If a source has multiple accounts, and multipleAccountPasswordSync is set, and the password change fails on the first account on that source, password changes on the other accounts are still processed.',
    holds: () => {
      expect(ends('applied', 'rejected', 'pending')).toBe('applying');
      expect(ends('applied', 'rejected', 'applied')).toBe('partial');
    },
  },
];

describe('Password Changes and Password Sync Groups (seed 001)', () => {
  test.each(rows)('$sentence', ({ holds }) => holds());
});

describe('where seed 001 is silent', () => {
  test(
    keeps(
      'without multipleAccountPasswordSync the account marked primary is changed, else the first linked',
      5,
    ),
    () => {
      const primaryIs = (...accounts: LinkedAccount[]) =>
        plan([account('corp', 'c1'), ...accounts])
          .filter(({ source: from, leftOut }) => from === 'apps' && leftOut === null)
          .map(({ accountName }) => accountName);
      expect(primaryIs(account('apps', 'a1'), account('apps', 'a2', true))).toEqual(['a2']);
      expect(primaryIs(account('apps', 'a1'), account('apps', 'a2'))).toEqual(['a1']);
    },
  );

  test(keeps('a source that is switched off is left out, and the plan shows why', 26), () => {
    const off = sources.map((one) => ({ ...one, enabled: one.name !== 'crm' }));
    expect(plan(oneEach, off).find((one) => one.source === 'crm')?.leftOut).toBe('source_disabled');
  });

  describe('a group that is directory-last (Enterprise SSO, event 10681)', () => {
    const last: Group = { ...group, failureMode: 'directory-last' };
    const stands = (auth: OutcomeState, ...members: OutcomeState[]) =>
      changeState([
        ...members.map((state) => ({ role: 'member' as const, state })),
        { role: 'auth', state: auth },
      ]);

    test('the directory is the last account of the plan when the group is directory-last', () => {
      const planned = planChange({ groups: [last], sources, accounts: oneEach });
      expect(planned.map(({ label, role }) => [label, role])).toEqual([
        ['apps', 'member'],
        ['crm', 'member'],
        ['corp', 'auth'],
      ]);
      expect(authGoesLast(planned)).toBe(true);
      expect(authGoesLast(plan(oneEach))).toBe(false);
    });

    test.each<[OutcomeState, OutcomeState[], string]>([
      ['waiting', ['pending', 'applied'], 'applying'],
      ['waiting', ['waiting', 'applied'], 'waiting'],
      ['applying', ['applied', 'applied'], 'applying'],
      ['waiting', ['applied', 'applied'], 'waiting'],
      ['applied', ['applied', 'applied'], 'done'],
      ['not_attempted', ['applied', 'rejected'], 'partial'],
      ['not_attempted', ['rejected', 'rejected'], 'failed'],
      ['rejected', ['applied', 'applied'], 'partial'],
      ['rejected', ['not_attempted', 'not_attempted'], 'refused'],
      ['cancelled', ['applied', 'cancelled'], 'partial'],
    ])(
      'with the directory %s and the others %s, the change of a directory-last group is %s',
      (auth, members, expected) => {
        expect(stands(auth, ...members)).toBe(expected);
      },
    );

    test('groups that share an auth source must have the same failure mode', () => {
      const other: Group = { ...group, name: 'other', sources: ['hr', 'erp'] };
      expect(broken(last, [last, other])).toEqual([expect.stringContaining('another failureMode')]);
    });
  });

  describe('a source on its own, with a policy of its own', () => {
    const lone: Group = { ...group, name: 'source:hr', authSource: 'hr', sources: ['hr'] };
    const covered = (linkedSources: string[], wanted: string | null = null) =>
      coverage({ groups: [group, lone], sources, linkedSources, wanted });

    test('a source on its own is not changed together with a group of the same person', () => {
      expect(covered(['corp', 'hr'])).toEqual({ groups: [group] });
    });

    test('a source on its own is changed when it is named, or when the person is in no group', () => {
      expect(covered(['corp', 'hr'], 'source:hr')).toEqual({ groups: [lone] });
      expect(covered(['hr'])).toEqual({ groups: [lone] });
    });
  });

  test('of an auth source outside the group, only the auth account is changed', () => {
    const outside: Group = { ...group, sources: ['apps', 'crm'] };
    const accounts = [...oneEach, account('corp', 'c2')];
    const all = sources.map((one) => ({ ...one, multipleAccountPasswordSync: true }));
    const planned = planChange({ groups: [outside], sources: all, accounts });
    expect(planned.map(({ label }) => label)).toEqual(['corp', 'apps', 'crm']);
  });

  test('a change of a person without an account in the auth source is refused', () => {
    expect(changeState([{ role: 'member', state: 'not_attempted' }])).toBe('refused');
    expect(changeState([])).toBe('refused');
  });

  test('an account that is left out does not make a change partial', () => {
    expect(ends('applied', 'applied', 'not_applicable')).toBe('done');
  });

  test('more than eight accounts of one person in one source take the queue lane', () => {
    const many = Array.from({ length: 9 }, (_, index) => account('apps', `a${index}`));
    const all = sources.map((one) => ({ ...one, multipleAccountPasswordSync: true }));
    const lanes = (accounts: LinkedAccount[]) => passesOver(plan(accounts, all), all);
    expect(lanes([account('corp', 'c1'), ...many])).toEqual([{ lane: 'queue', source: 'apps' }]);
    expect(lanes([account('corp', 'c1'), ...many.slice(1)])).toEqual([
      { lane: 'inline', sources: ['apps'] },
    ]);
  });

  test('a request for a person in groups with different auth sources has to name a group', () => {
    const other: Group = { ...group, name: 'other', authSource: 'hr', sources: ['hr', 'erp'] };
    const input = { groups: [group, other], sources, linkedSources: ['corp', 'hr'] };
    expect(coverage({ ...input, wanted: null })).toEqual({ refused: 'group_needed' });
    expect(coverage({ ...input, wanted: 'other' })).toEqual({ groups: [other] });
    expect(coverage({ ...input, wanted: 'none' })).toEqual({ refused: 'no_group' });
    expect(coverage({ ...input, linkedSources: [], wanted: null })).toEqual({
      refused: 'no_group',
    });
  });
});
