import Ajv, { type ValidateFunction } from 'ajv';
import type { GraphEdge, GraphNode } from '../../model/graph/elements';

/**
 * The rules of BloodHound for an uploaded file. The schemas of its documentation differ from those of its server, and a file
 * must satisfy both.
 */

export interface Payload {
  readonly metadata?: { readonly source_kind: string };
  readonly graph: { readonly nodes: readonly GraphNode[]; readonly edges: readonly GraphEdge[] };
}

const scalar = { type: ['string', 'number', 'boolean'] };
const listOfOne = ['string', 'number', 'boolean'].map((type) => ({
  type: 'array',
  items: { type },
}));
const properties = {
  type: 'object',
  additionalProperties: { anyOf: [scalar, ...listOfOne] },
  // The id is a field of the node, and BloodHound sets the others itself.
  not: { anyOf: ['objectid', 'lastseen', 'reconcile'].map((name) => ({ required: [name] })) },
};

const matcher = {
  type: 'object',
  required: ['key', 'operator', 'value'],
  properties: { key: { type: 'string' }, operator: { const: 'equals' }, value: scalar },
};
const endpoint = {
  oneOf: [
    {
      type: 'object',
      required: ['value'],
      properties: { match_by: { enum: ['id', 'name'] }, value: { type: 'string' } },
      not: { required: ['property_matchers'] },
    },
    {
      type: 'object',
      required: ['match_by', 'property_matchers'],
      properties: {
        match_by: { const: 'property' },
        property_matchers: { type: 'array', minItems: 1, items: matcher },
      },
      not: { required: ['value'] },
    },
  ],
};

const node = (kinds: object) => ({
  type: 'object',
  required: ['id', 'kinds'],
  properties: {
    id: { type: 'string' },
    kinds: { type: 'array', items: { type: 'string' }, ...kinds },
    properties,
  },
});
const edge = (required: readonly string[]) => ({
  type: 'object',
  required: ['start', 'end', 'kind', ...required],
  properties: {
    start: endpoint,
    end: endpoint,
    kind: { type: 'string', pattern: '^[A-Za-z0-9_]+$' },
    properties,
  },
});
const payload = (nodes: object, edges: object) => ({
  type: 'object',
  required: ['graph'],
  additionalProperties: false,
  properties: {
    metadata: {
      type: 'object',
      additionalProperties: false,
      properties: { source_kind: { type: 'string' } },
    },
    graph: {
      type: 'object',
      required: ['nodes', 'edges'],
      properties: {
        nodes: { type: 'array', items: nodes },
        edges: { type: 'array', items: edges },
      },
    },
  },
});

const ajv = new Ajv({ allowUnionTypes: true });
const schemas: Readonly<Record<string, ValidateFunction>> = {
  documented: ajv.compile(payload(node({ minItems: 1, maxItems: 3 }), edge([]))),
  'of the server': ajv.compile(payload(node({}), edge(['properties']))),
};

/** Everything that BloodHound would refuse or silently misinterpret. */
export function objectionsTo(made: unknown): string[] {
  const file: Payload = JSON.parse(JSON.stringify(made));
  const { nodes, edges } = file.graph;
  const named = [...nodes, ...edges].flatMap(({ properties: all = {} }) => Object.keys(all));
  return [
    ...Object.entries(schemas).flatMap(([name, valid]) =>
      valid(file) ? [] : [`schema ${name}: ${ajv.errorsText(valid.errors)}`],
    ),
    ...nodes.flatMap(({ id }) => (/^[0-9A-F-]{36}$/.test(id) ? [] : [`id ${id}`])),
    ...repeated(nodes.map(({ id }) => id)).map((id) => `twice: ${id}`),
    ...nodes.flatMap(({ kinds }) =>
      kinds.every((kind) => kind.startsWith('Lockstep_')) ? [] : [`kinds ${kinds}`],
    ),
    ...named.flatMap((name) => (/^[a-z]+$/.test(name) ? [] : [`property ${name}`])),
  ];
}

const repeated = (ids: readonly string[]): string[] =>
  [...new Set(ids)].length === ids.length ? [] : ids.filter((id, at) => ids.indexOf(id) !== at);

/** Edges as text, such as `alice@crm -SamePassword-> alice@directory`. Users of other collectors are shown by their match. */
export function linesOf({ nodes, edges }: Payload['graph'], names = nodes): string[] {
  const name = new Map(
    names.map(({ id, kinds, properties: { name: is } }) => [
      id,
      `${String(kinds[0]).replace('Lockstep_', '')} ${is}`,
    ]),
  );
  const at = (one: GraphEdge['start']) =>
    one.match_by === 'id'
      ? (name.get(one.value) ?? `${one.kind} ${one.value}`)
      : `${one.kind} ${one.property_matchers.map(({ value }) => value)}`;
  return edges.map(
    ({ start, kind, end }) => `${at(start)} -${kind.replace('Lockstep_', '')}-> ${at(end)}`,
  );
}
