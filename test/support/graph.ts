import { configurationSchema } from '../../model/configuration/document';
import { guid } from '../../model/graph/elements';
import {
  type AccountFacts,
  type KeyFacts,
  type PersonFacts,
  viewOf,
} from '../../model/graph/facts';
import { hybridEdges, hybridTopology } from '../../model/graph/hybrid';
import { personEdges, personNodes } from '../../model/graph/person';
import { topologyOf } from '../../model/graph/topology';
import { linesOf, type Payload } from './opengraph';

/** The graph of a small configuration with one person. */

/** `directory` is the auth source of `directory`, `apps` and `crm`, unless a test says otherwise. */
export interface Wanted {
  readonly sources?: Readonly<Record<string, object>>;
  readonly groups?: Readonly<Record<string, object>>;
  readonly keys?: readonly KeyFacts[];
  readonly accounts?: readonly AccountFacts[];
}

export const DEPLOYMENT = guid('deployment', 'test');

export const account = (source: string, more: Partial<AccountFacts> = {}): AccountFacts => ({
  id: `acc_${source}_${more.name ?? 'alice'}`,
  source,
  name: 'alice',
  nativeId: null,
  primary: true,
  appliedSeq: 0,
  lastSuccess: null,
  storedFor: [],
  ...more,
});

export const everywhere = ['directory', 'apps', 'crm'].map((source) => account(source));

export function graphOf({ sources = {}, groups, keys = [], accounts = everywhere }: Wanted) {
  const source = (kind = 'ldap') => ({ kind, settings: { bindDn: 'cn=lockstep' } });
  const all = Object.fromEntries(
    [...new Set(['directory', 'apps', 'crm', ...Object.keys(sources)])].map((name) => [
      name,
      { ...source(), ...sources[name] },
    ]),
  );
  const view = viewOf({
    deploymentId: DEPLOYMENT,
    deploymentName: 'Lockstep',
    configurationVersion: 7,
    configuration: configurationSchema.parse({
      version: 1,
      sources: all,
      policies: { strong: { minLength: 15 } },
      groups: groups ?? {
        one: { policy: 'strong', authSource: 'directory', sources: Object.keys(all) },
      },
    }),
    takesHashOnly: ({ kind }) => kind === 'postgres-role',
  });
  const person: PersonFacts = { name: 'Alice', accounts };
  const { nodes, edges } = topologyOf(view, keys);
  const own: Payload = {
    metadata: { source_kind: 'Lockstep' },
    graph: {
      nodes: [...nodes, ...personNodes(view, person)],
      edges: [...edges, ...personEdges(view, person)],
    },
  };
  const hybrid: Payload = {
    graph: { nodes: [], edges: [...hybridTopology(view), ...hybridEdges(view, person)] },
  };
  return { own, hybrid };
}

export const edgesOf = (wanted: Wanted, ...kinds: readonly string[]) => {
  const { own } = graphOf(wanted);
  const edges = own.graph.edges.filter(({ kind }) =>
    kinds.some((one) => kind === `Lockstep_${one}`),
  );
  return { edges, lines: linesOf({ ...own.graph, edges }) };
};
