import { type GraphEdge, guid } from '../../../model/graph/elements';
import { account, DEPLOYMENT, edgesOf, everywhere, type Wanted } from '../../support/graph';

const synced = (wanted: Wanted) => edgesOf(wanted, 'PasswordSync', 'SamePassword');
const propertiesTo = (edges: readonly GraphEdge[], from: string, to: string) => {
  const [start, end] = [from, to].map((source) =>
    guid(DEPLOYMENT, 'Account', `acc_${source}_alice`),
  );
  const found = edges.find(
    (one) =>
      'value' in one.start &&
      'value' in one.end &&
      one.start.value === start &&
      one.end.value === end,
  );
  return found?.properties;
};

describe('accounts that are kept in step', () => {
  test('the password of the auth account becomes that of the others, and each of them opens it', () => {
    expect(synced({}).lines).toEqual([
      'Account alice@directory -PasswordSync-> Account alice@apps',
      'Account alice@apps -SamePassword-> Account alice@directory',
      'Account alice@directory -PasswordSync-> Account alice@crm',
      'Account alice@crm -SamePassword-> Account alice@directory',
    ]);
  });

  test('an account that is captured passes on a password that is set there', () => {
    const { lines: all, edges } = synced({ sources: { crm: { capture: { enabled: true } } } });
    expect(all).toContain('Account alice@crm -PasswordSync-> Account alice@directory');
    expect(propertiesTo(edges, 'crm', 'directory')).toMatchObject({
      captured: true,
      needscurrent: true,
    });
    expect(propertiesTo(edges, 'directory', 'crm')).toMatchObject({
      captured: false,
      needscurrent: false,
    });
  });

  test.each([
    [
      'with verifyCurrent: false',
      { crm: { capture: { enabled: true, verifyCurrent: false } } },
      'crm',
      'directory',
    ],
    ['in the auth source', { directory: { capture: { enabled: true } } }, 'directory', 'crm'],
  ])('a capture %s needs no current password', (_where, sources, from, to) => {
    expect(propertiesTo(synced({ sources }).edges, from, to)).toMatchObject({
      captured: true,
      needscurrent: false,
    });
  });

  test('an account with a filtered password opens no other account', () => {
    const { lines: all, edges } = synced({
      sources: { crm: { passwordFilter: { case: 'upper', maxLength: 8 } } },
    });
    expect(all.filter((one) => one.includes('crm'))).toEqual([
      'Account alice@directory -PasswordSync-> Account alice@crm',
    ]);
    expect(propertiesTo(edges, 'directory', 'crm')).toMatchObject({
      filtered: true,
      weakened: true,
    });
    expect(propertiesTo(edges, 'directory', 'apps')).toMatchObject({
      filtered: false,
      weakened: false,
    });
  });

  test('accounts behind an auth source with a filter still open each other', () => {
    expect(synced({ sources: { directory: { passwordFilter: { case: 'upper' } } } }).lines).toEqual(
      [
        'Account alice@apps -SamePassword-> Account alice@directory',
        'Account alice@apps -SamePassword-> Account alice@crm',
        'Account alice@crm -SamePassword-> Account alice@apps',
      ],
    );
  });

  test('an edge shows that the password is real, whether the end gets only a hash, and when it last took one', () => {
    const lastSuccess = '2026-01-02T03:04:05Z';
    const accounts = [account('directory'), account('apps', { lastSuccess })];
    const { edges } = synced({ sources: { apps: { kind: 'postgres-role' } }, accounts });
    expect(propertiesTo(edges, 'directory', 'apps')).toMatchObject({
      real: true,
      hashonly: true,
      lastsuccess: lastSuccess,
    });
    expect(propertiesTo(edges, 'apps', 'directory')).toMatchObject({ real: true, hashonly: false });
  });

  test.each([
    [3, 3, true],
    [3, 2, false],
    [0, 0, false],
  ])(
    'an edge is in sync when both accounts took the newest password: %d and %d',
    (one, other, insync) => {
      const accounts = [
        account('directory', { appliedSeq: one }),
        account('apps', { appliedSeq: other }),
      ];
      const { edges } = synced({ accounts });
      expect(propertiesTo(edges, 'directory', 'apps')).toMatchObject({ insync });
      expect(propertiesTo(edges, 'apps', 'directory')).toMatchObject({ insync });
    },
  );

  test.each<[string, Wanted]>([
    ['its auth source is switched off', { sources: { directory: { enabled: false } } }],
    [
      'the person has no account in the auth source',
      { accounts: [account('apps'), account('crm')] },
    ],
    ['there is no group', { groups: {} }],
    ['the person has one account', { accounts: [account('directory')] }],
  ])('no account is kept in step when %s', (_what, wanted) =>
    expect(synced(wanted).lines).toEqual([]),
  );

  test.each<[string, Wanted]>([
    ['of a source that is switched off', { sources: { crm: { enabled: false } } }],
    [
      'that is not the primary one',
      { accounts: [...everywhere, account('apps', { name: 'alice-2', primary: false })] },
    ],
    ['of a source that was removed', { accounts: [...everywhere, account('gone')] }],
  ])('an account %s has no edges', (_what, wanted) => {
    const expected = synced({}).lines.filter((one) => !(wanted.sources && one.includes('crm')));
    expect(synced(wanted).lines).toEqual(expected);
  });

  test('every account of a person has edges with multipleAccountPasswordSync', () => {
    const accounts = [...everywhere, account('apps', { name: 'alice-2', primary: false })];
    const { lines: all } = synced({
      sources: { apps: { multipleAccountPasswordSync: true } },
      accounts,
    });
    expect(all).toContain('Account alice@directory -PasswordSync-> Account alice-2@apps');
  });

  test('groups with the same auth source follow it together, and other groups do not', () => {
    const groups = {
      one: { policy: 'strong', authSource: 'directory', sources: ['directory', 'apps'] },
      two: { policy: 'strong', authSource: 'directory', sources: ['crm', 'erp'] },
      three: { policy: 'strong', authSource: 'ledger', sources: ['ledger', 'vault'] },
    };
    const sources = { erp: {}, ledger: {}, vault: {} };
    const accounts = ['directory', 'apps', 'crm', 'ledger', 'vault'].map((name) => account(name));
    expect(
      synced({ groups, sources, accounts }).lines.filter((one) => one.includes('-PasswordSync')),
    ).toEqual([
      'Account alice@directory -PasswordSync-> Account alice@apps',
      'Account alice@directory -PasswordSync-> Account alice@crm',
      'Account alice@ledger -PasswordSync-> Account alice@vault',
    ]);
  });

  test('a thousand accounts of one person have a thousand edges each way, not a million', () => {
    const many = Array.from({ length: 1000 }, (_, count) =>
      account('apps', { name: `alice-${count}` }),
    );
    const wanted = {
      sources: { apps: { multipleAccountPasswordSync: true } },
      accounts: [account('directory'), ...many],
    };
    expect(synced(wanted).edges).toHaveLength(2000);
  });
});
