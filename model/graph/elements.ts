import { createHash } from 'node:crypto';
import { type EdgeKindName, type NodeKindName, named } from './kinds';

/** Nodes and edges as BloodHound OpenGraph takes them (its JSON schemas for nodes and edges, reference protocols §5.1). */

type Value = string | number | boolean | readonly string[];

/** Flat, in lower case. What is undefined is left out. */
type Properties = Readonly<Record<string, Value | undefined>>;

export interface GraphNode {
  readonly id: string;
  readonly kinds: readonly string[];
  readonly properties: Properties;
}

export interface GraphEdge {
  readonly kind: string;
  readonly start: Endpoint;
  readonly end: Endpoint;
  /** Never left out: the schema of the server asks for it, that of the documentation does not. */
  readonly properties: Properties;
}

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

/** Where the nodes of one deployment are; the ids of another one are others. */
export interface Place {
  /** Of the node of the deployment. */
  readonly deploymentId: string;
}

/**
 * The same for the same parts, in upper case, as BloodHound keeps ids and compares environments: a UUID of version 8 (RFC
 * 9562 §5.8).
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

/** @param key what tells it from others of its kind: a name of the configuration, or an id of ours */
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

/** Of a kind that another extension defines. */
export const edgeOf = (
  kind: string,
  start: string | Endpoint,
  end: string | Endpoint,
  properties: Properties,
): GraphEdge => ({ kind, start: endpoint(start), end: endpoint(end), properties });

const endpoint = (at: string | Endpoint): Endpoint =>
  typeof at === 'string' ? { match_by: 'id', value: at } : at;
