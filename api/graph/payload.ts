import type { GraphEdge, GraphNode } from '../../model/graph/elements';
import type { GraphView, PersonFacts } from '../../model/graph/facts';
import { hybridEdges, hybridTopology } from '../../model/graph/hybrid';
import { NAMESPACE } from '../../model/graph/kinds';
import { personEdges, personNodes } from '../../model/graph/person';
import { topologyOf } from '../../model/graph/topology';
import type { GraphSnapshot } from '../../store/graph';

/**
 * The nodes and edges of Lockstep as an OpenGraph file for BloodHound, marked with our source kind. The text is generated
 * while it is sent, because there may be a million edges.
 */
export async function* ownPayload(
  view: GraphView,
  snapshot: GraphSnapshot,
): AsyncGenerator<string> {
  const { nodes, edges } = topologyOf(view, snapshot.keys);
  yield `{"metadata":{"source_kind":"${NAMESPACE}"},"graph":{"nodes":[`;
  yield* list(nodes, snapshot, (person) => personNodes(view, person));
  yield '],"edges":[';
  yield* list(edges, snapshot, (person) => personEdges(view, person));
  yield ']}}\n';
}

/** Edges to the nodes of other collectors. They carry no source kind: see `model/graph/hybrid.ts`. */
export async function* hybridPayload(
  view: GraphView,
  snapshot: GraphSnapshot,
): AsyncGenerator<string> {
  yield '{"graph":{"nodes":[],"edges":[';
  yield* list(hybridTopology(view), snapshot, (person) => hybridEdges(view, person));
  yield ']}}\n';
}

type Element = GraphNode | GraphEdge;

async function* list(
  first: readonly Element[],
  snapshot: GraphSnapshot,
  of: (person: PersonFacts) => readonly Element[],
): AsyncGenerator<string> {
  let before = '';
  for await (const elements of inTurn(first, snapshot, of)) {
    if (elements.length === 0) continue;
    yield before + elements.map((element) => JSON.stringify(element)).join(',\n');
    before = ',\n';
  }
}

async function* inTurn(
  first: readonly Element[],
  snapshot: GraphSnapshot,
  of: (person: PersonFacts) => readonly Element[],
): AsyncGenerator<readonly Element[]> {
  yield first;
  for await (const page of snapshot.people()) for (const person of page) yield of(person);
}
