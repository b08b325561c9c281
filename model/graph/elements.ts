import { createHash } from 'node:crypto';
import { type EdgeKindName, type NodeKindName, named } from './kinds';

type Value = string | number | boolean | readonly string[];

/** The properties of a node or an edge: flat, with lower-case names. Undefined ones are left out of the file. */
type Properties = Readonly<Record<string, Value | undefined>>;

/** A node of a BloodHound OpenGraph file (the JSON schema of nodes, reference protocols §5.1). */
export interface GraphNode {
  readonly id: string;
  readonly kinds: readonly string[];
  readonly properties: Properties;
}

/** An edge of a BloodHound OpenGraph file (the JSON schema of edges, reference protocols §5.1). */
export interface GraphEdge {
  readonly kind: string;
  readonly start: Endpoint;
  readonly end: Endpoint;
  /** Always present: the schema of the BloodHound server requires it, although its documentation does not. */
  readonly properties: Properties;
}

/** One end of an edge: a node by its id, or a node of another collector by a property. */
export type Endpoint =
  | { readonly match_by: 'id'; readonly value: string; readonly kind?: string }
  | {
      readonly match_by: 'property';
      readonly property_matchers: readonly {
        readonly key: string;
        readonly operator: 'equals';
        readonly value: string;
      }[];
      readonly kind: string;
    };

/** The deployment to which nodes belong. The ids of its nodes differ from those of every other deployment. */
export interface Place {
  /** Id of the node of the deployment itself. */
  readonly deploymentId: string;
}

/**
 * A UUID of version 8 (RFC 9562 §5.8) that is the same for the same parts. It is in upper case, in which BloodHound
 * keeps ids and compares environments.
 */
export function guid(...parts: readonly string[]): string {
  const hex = createHash('sha256').update(JSON.stringify(parts)).digest('hex').toUpperCase();
  const [a, b, c, d, e] = [
    [0, 8],
    [8, 12],
    [13, 16],
    [17, 20],
    [20, 32],
  ].map(([from, to]) => hex.slice(from, to));
  return `${a}-${b}-8${c}-A${d}-${e}`;
}

/**
 * The id of a node.
 * @param key distinguishes it from other nodes of its kind: a name of the configuration, or an id of Lockstep
 */
export const idOf = ({ deploymentId }: Place, kind: NodeKindName, key: string): string =>
  guid(deploymentId, kind, key);

export const node = (
  place: Place,
  kind: NodeKindName,
  id: string,
  properties: Properties & { readonly name: string },
): GraphNode => ({
  id,
  kinds: [named(kind)],
  properties: { ...properties, environmentid: place.deploymentId },
});

export const edge = (
  kind: EdgeKindName,
  start: string | Endpoint,
  end: string | Endpoint,
  properties: Properties = {},
): GraphEdge => edgeOf(named(kind), start, end, properties);

/** An edge of a kind that another extension defines. */
export const edgeOf = (
  kind: string,
  start: string | Endpoint,
  end: string | Endpoint,
  properties: Properties,
): GraphEdge => ({ kind, start: endpoint(start), end: endpoint(end), properties });

const endpoint = (at: string | Endpoint): Endpoint =>
  typeof at === 'string' ? { match_by: 'id', value: at } : at;
