import { type Group, isLone } from '../configuration/group';
import { edge, type GraphEdge, type GraphNode, idOf, node } from './elements';
import type { GraphView, KeyFacts } from './facts';

export interface Elements {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/**
 * The nodes and edges that follow from the configuration and the API keys: everything except the accounts of people.
 */
export function topologyOf(view: GraphView, keys: readonly KeyFacts[]): Elements {
  const parts = [
    deployment(view),
    ...view.groups.map((group) => groupElements(view, group)),
    ...[...view.traits.keys()].map((source) => sourceElements(view, source)),
    ...keys.map((key) => keyElements(view, key)),
  ];
  return {
    nodes: parts.flatMap(({ nodes }) => nodes),
    edges: parts.flatMap(({ edges }) => edges),
  };
}

function deployment(view: GraphView): Elements {
  const { deploymentName, configurationVersion } = view.facts;
  const properties = {
    name: deploymentName,
    collected: true,
    configurationversion: configurationVersion,
  };
  return { nodes: [node(view, 'Deployment', view.deploymentId, properties)], edges: [] };
}

function groupElements(view: GraphView, group: Group): Elements {
  const id = idOf(view, 'Group', group.name);
  const { name, policy, authSource, failureMode, sources } = group;
  const lone = isLone(group);
  return {
    nodes: [
      node(view, 'Group', id, {
        name,
        policy,
        authsource: authSource,
        failuremode: failureMode,
        lone,
      }),
    ],
    edges: [
      edge('Contains', view.deploymentId, id),
      ...[...new Set([authSource, ...sources])].map((source) =>
        edge('InGroup', idOf(view, 'Source', source), id, { authsource: source === authSource }),
      ),
    ],
  };
}

function sourceElements(view: GraphView, name: string): Elements {
  const id = idOf(view, 'Source', name);
  const serviceId = idOf(view, 'ServiceAccount', name);
  const traits = view.traits.get(name) ?? unknown(name);
  const { kind, enabled, captures, needsCurrent, hashOnly, filtered, weakened } = traits;
  const account = serviceAccountOf(view, name);
  return {
    nodes: [
      node(view, 'Source', id, {
        name,
        connector: kind,
        enabled,
        captures,
        capturedforms: captures ? traits.capturedForms : undefined,
        needscurrent: captures && needsCurrent,
        hashonly: hashOnly,
        filtered,
        weakened,
      }),
      node(view, 'ServiceAccount', serviceId, {
        name: `${account ?? 'service account'}@${name}`,
        account: account ?? undefined,
        source: name,
      }),
    ],
    edges: [
      edge('Contains', view.deploymentId, id),
      edge('HoldsCredential', view.deploymentId, serviceId),
    ],
  };
}

const unknown = (source: string): never => {
  throw new Error(`no source ${source}`);
};

/**
 * The settings that name the service account, in the kinds of sources that sign in with a name and not only with a
 * token.
 */
const NAMED_BY = ['bindDn', 'user', 'clientId'];

export function serviceAccountOf(view: GraphView, source: string): string | null {
  const settings = view.facts.configuration.sources[source]?.settings ?? {};
  const named = NAMED_BY.map((setting) => settings[setting]).find((value) => value !== undefined);
  return typeof named === 'string' ? named : null;
}

function keyElements(view: GraphView, key: KeyFacts): Elements {
  const id = idOf(view, 'ApiKey', key.id);
  const edges = powersOf(view, key, id);
  // A key that only reads shows names and times, and no path leads on from it.
  if (edges.length === 0) return { nodes: [], edges };
  const { name, scopes, groups } = key;
  const properties = { name, keyid: key.id, scopes, groups: groups ?? undefined };
  return { nodes: [node(view, 'ApiKey', id, properties)], edges };
}

function powersOf(view: GraphView, { scopes, groups, relayOf }: KeyFacts, id: string): GraphEdge[] {
  // A key that may apply a configuration can have every password sent to an address of its own, as an admin key can, so
  // its other scopes add nothing.
  if (scopes.includes('admin') || scopes.includes('configure'))
    return [edge('Administers', id, view.deploymentId)];
  if (relayOf !== null) return captureEdges(view, [relayOf], id);
  const may = (group: Group) => groups === null || groups.includes(group.name);
  return view.clusters.flatMap((cluster) => [
    ...(scopes.includes('trigger') || scopes.includes('help-desk')
      ? cluster.filter(may).map((group) =>
          // A change is refused unless the key may change every group of the auth source in which the person has an
          // account.
          edge('SetPasswords', id, idOf(view, 'Group', group.name), {
            partly: !cluster.every(may),
          }),
        )
      : []),
    ...(scopes.includes('capture') && cluster.every(may)
      ? cluster.flatMap(({ sources }) => captureEdges(view, sources, id))
      : []),
  ]);
}

const captureEdges = (view: GraphView, sources: readonly string[], id: string): GraphEdge[] =>
  sources.flatMap((source) => {
    // The source of a relay may have been removed. Captures of it have no effect then.
    const traits = view.traits.get(source);
    if (!traits?.captures) return [];
    const kind = traits.needsCurrent ? 'ReportPasswords' : 'InjectPasswords';
    return [edge(kind, id, idOf(view, 'Source', source))];
  });
