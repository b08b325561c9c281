import { account, graphOf, type Wanted } from '../../support/graph';
import { linesOf, objectionsTo } from '../../support/opengraph';

describe('users that other collectors know', () => {
  const AD = account('ad', { name: 'CN=Straße\\, Alice,DC=corp,DC=example', nativeId: 'a-guid' });
  const USER = 'User CN=STRAßE\\, ALICE,DC=CORP,DC=EXAMPLE';
  const OKTA = account('okta', { nativeId: '00uAbC' });
  const HUB = account('hub', { nativeId: '00uHub' });
  const [USER_OKTA, USER_HUB] = ['Okta_User 00uAbC', 'Okta_User 00uHub'];
  const kinds = {
    ad: { kind: 'active-directory', settings: { bindDn: 'CN=svc,DC=corp' } },
    okta: { kind: 'okta' },
    hub: { kind: 'okta' },
    other: { kind: 'active-directory', settings: {} },
  };
  const group = (authSource: string) => ({
    one: {
      policy: 'strong',
      authSource,
      sources: ['ad', 'other', 'okta', 'hub', 'directory', 'apps'],
    },
  });
  const hybridOf = (wanted: Wanted, kind: string) => {
    const { own, hybrid } = graphOf({ ...wanted, sources: { ...kinds, ...wanted.sources } });
    const edges = hybrid.graph.edges.filter((one) => one.kind === kind);
    return linesOf({ nodes: [], edges }, own.graph.nodes);
  };
  const capture = { capture: { enabled: true } };

  test.each<[string, Wanted, readonly string[]]>([
    [
      'the domain to Okta',
      { groups: group('ad'), accounts: [AD, OKTA] },
      [`${USER} -Okta_PasswordSync-> ${USER_OKTA}`],
    ],
    [
      'Okta to the domain',
      { groups: group('okta'), accounts: [OKTA, AD] },
      [`${USER_OKTA} -Okta_PasswordSync-> ${USER}`],
    ],
    [
      'one organization to another',
      { groups: group('okta'), accounts: [OKTA, HUB] },
      [`${USER_OKTA} -Okta_PasswordSync-> ${USER_HUB}`],
    ],
    [
      'a domain that is captured to Okta',
      {
        groups: group('directory'),
        sources: { ad: { ...kinds.ad, ...capture } },
        accounts: [account('directory'), AD, OKTA],
      },
      [`${USER} -Okta_PasswordSync-> ${USER_OKTA}`],
    ],
    [
      'no edge when another source is between them',
      { groups: group('directory'), accounts: [account('directory'), AD, OKTA] },
      [],
    ],
    [
      'no edge without Okta',
      { groups: group('ad'), accounts: [AD, { ...AD, id: 'acc_other', source: 'other' }] },
      [],
    ],
    [
      'no edge without the id of Okta',
      { groups: group('ad'), accounts: [AD, account('okta')] },
      [],
    ],
  ])('Okta_PasswordSync is drawn as Okta would draw it: %s', (_what, wanted, expected) =>
    expect(hybridOf(wanted, 'Okta_PasswordSync')).toEqual(expected),
  );

  test('Okta_ReadPasswordUpdates is drawn from the deployment to each user of Okta that it writes', () => {
    const wanted = { groups: group('ad'), accounts: [AD, OKTA] };
    expect(hybridOf(wanted, 'Okta_ReadPasswordUpdates')).toEqual([
      `Deployment Lockstep -Okta_ReadPasswordUpdates-> ${USER_OKTA}`,
    ]);
  });

  test('accounts and service accounts are tied to users of the domain in both directions', () => {
    expect(hybridOf({ groups: group('ad'), accounts: [AD] }, 'Lockstep_SameAccount')).toEqual([
      'ServiceAccount CN=svc,DC=corp@ad -SameAccount-> User CN=SVC,DC=CORP',
      'User CN=SVC,DC=CORP -SameAccount-> ServiceAccount CN=svc,DC=corp@ad',
      `Account ${AD.name}@ad -SameAccount-> ${USER}`,
      `${USER} -SameAccount-> Account ${AD.name}@ad`,
    ]);
  });

  test('a user of Entra is identified by its id, and gets no edges of Okta', () => {
    const entra = account('entra', { name: 'alice@corp.example', nativeId: '3f1c-ab' });
    const sources = { entra: { kind: 'entra' } };
    const groups = { one: { policy: 'strong', authSource: 'ad', sources: ['ad', 'entra'] } };
    const wanted = { sources, groups, accounts: [AD, entra] };
    expect(hybridOf(wanted, 'Lockstep_SameAccount')).toContain(
      'Account alice@corp.example@entra -SameAccount-> AZUser 3F1C-AB',
    );
    expect(hybridOf(wanted, 'Okta_PasswordSync')).toEqual([]);
  });

  test('the file of hybrid edges marks no node as a node of Lockstep', () => {
    const { hybrid } = graphOf({ sources: kinds, groups: group('ad'), accounts: [AD, OKTA] });
    expect(hybrid).toEqual({ graph: { nodes: [], edges: expect.any(Array) } });
    expect(objectionsTo(hybrid)).toEqual([]);
  });
});
