import { readFileSync } from 'node:fs';
import path from 'node:path';
import { guid } from '../../../model/graph/elements';
import { edgeKinds, extensionDefinition, nodeKinds } from '../../../model/graph/kinds';
import { account, DEPLOYMENT, graphOf, type Wanted } from '../../support/graph';
import { objectionsTo } from '../../support/opengraph';

describe('the graph files', () => {
  const everything: Wanted = {
    sources: {
      apps: { passwordFilter: { case: 'lower' }, policy: 'strong' },
      crm: { capture: { enabled: true } },
    },
    keys: [
      { id: 'key_1', name: 'desk', scopes: ['trigger', 'capture'], groups: ['one'], relayOf: null },
    ],
    accounts: [
      account('directory', {
        nativeId: 'x',
        lastSuccess: '2026-01-02T03:04:05Z',
        storedFor: ['wiki'],
      }),
      account('apps'),
      account('crm'),
    ],
  };

  test('the graph file satisfies both schemas of BloodHound, and holds both ends of each edge', () => {
    const { own } = graphOf(everything);
    expect(objectionsTo(JSON.parse(JSON.stringify(own)))).toEqual([]);
    const ids = new Set(own.graph.nodes.map(({ id }) => id));
    const loose = own.graph.edges.filter(({ start, end }) =>
      [start, end].some((one) => !('value' in one) || !ids.has(one.value)),
    );
    expect(loose).toEqual([]);
  });

  test.each([
    [
      'a nested property',
      {
        graph: {
          nodes: [{ id: DEPLOYMENT, kinds: ['Lockstep_Account'], properties: { a: { b: 1 } } }],
          edges: [],
        },
      },
    ],
    [
      'an edge without properties',
      {
        graph: {
          nodes: [],
          edges: [{ kind: 'Lockstep_Covers', start: { value: 'a' }, end: { value: 'b' } }],
        },
      },
    ],
    [
      'unknown metadata',
      { metadata: { source_kind: 'Lockstep', made: 'today' }, graph: { nodes: [], edges: [] } },
    ],
  ])('the schemas of BloodHound refuse a file with %s', (_what, file) => {
    const schemas = objectionsTo(file);
    expect(schemas.join()).toContain('schema');
  });

  test('the id of a node stays the same, and differs in another deployment', () => {
    expect(guid('deployment', 'x')).toBe('E36FB7FF-B371-8C33-ABCB-49F636899924');
    expect(guid('deployment', 'y')).not.toBe(guid('deployment', 'x'));
    expect(guid('a', 'bc')).not.toBe(guid('ab', 'c'));
  });

  test('every kind that is used is defined in the namespace and explained in docs/graph.md', () => {
    const { schema, node_kinds, relationship_kinds, environments } = extensionDefinition();
    expect(schema).toMatchObject({
      namespace: 'Lockstep',
      version: expect.stringMatching(/^v\d+\.\d+\.\d+$/),
    });
    const defined = [...node_kinds, ...relationship_kinds].map(({ name }) => name);
    expect(new Set(defined).size).toBe(defined.length);
    expect(defined.filter((name) => !/^Lockstep_\w+$/.test(name))).toEqual([]);
    expect(
      environments
        .flatMap((one) => [one.environment_kind, ...one.principal_kinds])
        .filter((name) => !defined.includes(name)),
    ).toEqual([]);
    const { own } = graphOf(everything);
    const used = [
      ...own.graph.nodes.flatMap(({ kinds }) => kinds),
      ...own.graph.edges.map(({ kind }) => kind),
    ];
    expect(used.filter((kind) => !defined.includes(kind))).toEqual([]);
    const page = readFileSync(path.resolve(__dirname, '../../../docs/graph.md'), 'utf8');
    const kinds = [...Object.keys(nodeKinds), ...Object.keys(edgeKinds)];
    expect(kinds.filter((kind) => !page.includes(`\`${kind}\``))).toEqual([]);
  });
});
