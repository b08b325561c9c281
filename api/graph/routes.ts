import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { connectorKinds } from '../../connectors/registry';
import { guid } from '../../model/graph/elements';
import { type GraphFacts, viewOf } from '../../model/graph/facts';
import { extensionDefinition } from '../../model/graph/kinds';
import { type GraphSnapshot, withGraphSnapshot } from '../../store/graph';
import { readSourceUse } from '../../store/sources/usage';
import type { Dependencies } from '../http/dependencies';
import { HttpProblem } from '../http/problem';
import { type Route, route } from '../http/route';
import { hybridPayload, ownPayload } from './payload';
import { drawGraph } from './picture';

/** Exports for BloodHound, described in docs/graph.md. */

const payloads = { lockstep: ownPayload, hybrid: hybridPayload } as const;

const properties = z.record(
  z.string(),
  z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]),
);
const endpoint = z.union([
  z.object({ match_by: z.literal('id'), value: z.string(), kind: z.string().optional() }),
  z.object({
    match_by: z.literal('property'),
    property_matchers: z.array(
      z.object({ key: z.string(), operator: z.literal('equals'), value: z.string() }),
    ),
    kind: z.string(),
  }),
]);

const payloadSchema = z
  .object({
    metadata: z.object({ source_kind: z.literal('Lockstep') }).optional(),
    graph: z.object({
      nodes: z.array(z.object({ id: z.string(), kinds: z.array(z.string()), properties })),
      edges: z.array(z.object({ kind: z.string(), start: endpoint, end: endpoint, properties })),
    }),
  })
  .meta({ id: 'OpenGraph' });

const read = route({
  method: 'get',
  path: '/v1/graph',
  right: 'administer',
  summary: 'Export who can obtain which password, for BloodHound',
  description:
    'A BloodHound OpenGraph file with a consistent snapshot of the database. It contains the name of every account, but no password.',
  query: z.strictObject({
    part: z
      .enum(['lockstep', 'hybrid'])
      .default('lockstep')
      .describe(
        '`lockstep`: the nodes and edges of Lockstep. `hybrid`: edges to users of Active Directory, Okta and Entra. Upload it separately, after the data of those systems.',
      ),
  }),
  answers: {
    200: {
      says: 'The file to upload to BloodHound.',
      contentType: 'application/json',
      streams: payloadSchema,
    },
  },
  problems: ['no_epoch'],
  handle: async (deps, { query: { part } }) => {
    const deploymentId = deploymentIdOf(deps);
    return {
      status: 200,
      headers: { 'content-type': 'application/json' },
      stream: (response) =>
        withGraphSnapshot(deps.db, (snapshot) => {
          const view = viewOf(factsOf(deps, deploymentId, snapshot));
          return send(payloads[part](view, snapshot), response);
        }),
    };
  },
});

/** An id derived from the public key of the signer, which a deployment never changes and every API process knows. */
function deploymentIdOf({ settings }: Dependencies): string {
  const signer = settings.signer();
  if (signer === null) throw new HttpProblem('no_epoch');
  return guid('deployment', signer.export({ format: 'jwk' }).x ?? '');
}

const factsOf = (
  { settings: { publicUrl } }: Dependencies,
  deploymentId: string,
  { version, configuration }: Pick<GraphSnapshot, 'version' | 'configuration'>,
): GraphFacts => ({
  deploymentId,
  deploymentName: publicUrl === '' ? 'Lockstep' : `Lockstep at ${new URL(publicUrl).host}`,
  configurationVersion: version,
  configuration,
  takesHashOnly: ({ kind, settings }) =>
    connectorKinds.get(kind)?.traitsOf(settings).accepts.includes('plaintext') === false,
});

/** A client that reads nothing for this long is disconnected, so that its database snapshot is released. */
const STALLED_MS = 30_000;

async function send(text: AsyncGenerator<string>, response: ServerResponse): Promise<void> {
  response.setTimeout(STALLED_MS, () => response.destroy());
  await pipeline(Readable.from(text), response).catch((error) => {
    // The client has disconnected.
    if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  });
}

const readSchema = route({
  method: 'get',
  path: '/v1/graph/schema',
  right: 'administer',
  summary: 'Read the schema of the BloodHound extension',
  description:
    'Install it in BloodHound once, before the first upload. It defines which edges attack paths may follow.',
  answers: {
    200: {
      says: 'The definition of the extension.',
      schema: z.custom<ReturnType<typeof extensionDefinition>>().meta({ type: 'object' }),
    },
  },
  handle: async () => ({ status: 200, body: extensionDefinition() }),
});

const readPicture = route({
  method: 'get',
  path: '/v1/graph/picture',
  right: 'administer',
  summary: 'See how passwords flow between sources',
  answers: { 200: { says: 'The picture as an SVG.', contentType: 'image/svg+xml' } },
  problems: ['no_epoch'],
  handle: async (deps) => {
    const view = viewOf(factsOf(deps, deploymentIdOf(deps), await deps.configuration()));
    const use = await readSourceUse(deps.db);
    const picture = drawGraph(view, (source) => use.get(source)?.accounts ?? 0);
    return {
      status: 200,
      headers: {
        'content-type': 'image/svg+xml',
        'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
      },
      stream: async (response) => void response.end(picture),
    };
  },
});

export const graphRoutes: readonly Route[] = [read, readSchema, readPicture];
