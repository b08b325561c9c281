import type { KeyFacts } from '../../../model/graph/facts';
import { account, edgesOf, graphOf, type Wanted } from '../../support/graph';
import { linesOf } from '../../support/opengraph';

describe('who can read and who can reset a password', () => {
  test('the deployment reads what it writes, and a service account can reset every account of its source', () => {
    const wanted = {
      sources: { crm: { enabled: false } },
      accounts: [account('directory'), account('crm', { storedFor: ['wiki'] })],
    };
    expect(
      edgesOf(wanted, 'ReadPasswordUpdates', 'ReadStoredPassword', 'ResetPassword').lines,
    ).toEqual([
      'ServiceAccount cn=lockstep@directory -ResetPassword-> Account alice@directory',
      'ServiceAccount cn=lockstep@crm -ResetPassword-> Account alice@crm',
      'Deployment Lockstep -ReadStoredPassword-> Account alice@crm',
      'Deployment Lockstep -ReadPasswordUpdates-> Account alice@directory',
    ]);
    expect(edgesOf(wanted, 'HoldsCredential').lines).toHaveLength(3);
  });

  const key = (scopes: readonly string[], groups: readonly string[] | null = null): KeyFacts => ({
    id: 'key_1',
    name: 'k',
    scopes,
    groups,
    relayOf: null,
  });
  const captured = {
    apps: { capture: { enabled: true } },
    crm: { capture: { enabled: true, verifyCurrent: false } },
  };
  const cluster = {
    one: { policy: 'strong', authSource: 'directory', sources: ['directory', 'apps'] },
    two: { policy: 'strong', authSource: 'directory', sources: ['crm'] },
  };

  test.each<[string, KeyFacts, Wanted, readonly string[]]>([
    ['read', key(['read']), {}, []],
    ['trigger', key(['trigger', 'read']), {}, ['-SetPasswords-> Group one']],
    ['admin', key(['admin', 'trigger']), {}, ['-Administers-> Deployment Lockstep']],
    ['capture, when no source is captured', key(['capture']), {}, []],
    [
      'capture',
      key(['capture']),
      { sources: captured },
      ['-ReportPasswords-> Source apps', '-InjectPasswords-> Source crm'],
    ],
    [
      'relay, for one source',
      { ...key(['relay']), relayOf: 'apps' },
      { sources: captured },
      ['-ReportPasswords-> Source apps'],
    ],
    [
      'relay, for a source that was removed',
      { ...key(['relay']), relayOf: 'removed' },
      { sources: captured },
      [],
    ],
    ['change-own', key(['change-own']), {}, []],
    ['help-desk', key(['help-desk']), {}, ['-SetPasswords-> Group one']],
    ['configure', key(['configure']), {}, ['-Administers-> Deployment Lockstep']],
    ['trigger, bound to another group', key(['trigger'], ['three']), {}, []],
    [
      'trigger, bound to one of two groups with the same auth source',
      key(['trigger'], ['two']),
      { groups: cluster },
      ['-SetPasswords-> Group two'],
    ],
    [
      'capture, bound to one of two groups with the same auth source',
      key(['capture'], ['two']),
      { groups: cluster, sources: captured },
      [],
    ],
  ])('an API key has exactly the edges of its scope: %s', (_scopes, one, wanted, expected) => {
    const { own } = graphOf({ ...wanted, keys: [one] });
    const all = linesOf(own.graph).filter((line) => line.startsWith('ApiKey'));
    expect(all).toEqual(expected.map((way) => `ApiKey k ${way}`));
    expect(own.graph.nodes.some(({ kinds }) => kinds[0] === 'Lockstep_ApiKey')).toBe(
      expected.length > 0,
    );
  });

  test('a source shows the forms in which its passwords are captured', () => {
    const forms = ['ssha512'];
    const { own } = graphOf({
      sources: { crm: { capture: { enabled: true, forms, verifyCurrent: false } } },
    });
    const shown = own.graph.nodes.map(({ properties }) => properties.capturedforms);
    expect(shown.filter((captured) => captured !== undefined)).toEqual([forms]);
  });

  test('a group covers the accounts of its sources, and its auth account', () => {
    expect(edgesOf({ groups: cluster }, 'Covers').lines.sort()).toEqual([
      'Group one -Covers-> Account alice@apps',
      'Group one -Covers-> Account alice@directory',
      'Group two -Covers-> Account alice@crm',
      'Group two -Covers-> Account alice@directory',
    ]);
  });
});
