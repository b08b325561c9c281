import { createPublicKey } from 'node:crypto';
import { z } from 'zod';
import { countCaptures } from '../../intake/capture-counter';
import { text, time } from '../../model/api/fields';
import { publicKeyOf, relayCreatedSchema, relaysSchema } from '../../model/api/relays';
import { hasRight } from '../../model/api/scopes';
import { sourceNamed } from '../../model/configuration/document';
import { readBatch } from '../../sealing/batch';
import { readHeader } from '../../sealing/captures';
import type { PublishedKey } from '../../sealing/published-key';
import { readCaptureControl } from '../../store/captures/control';
import { type BatchRecord, ingestBatch } from '../../store/captures/ingest-batch';
import { createRelay, listRelays, type Relay, relayOf } from '../../store/captures/relays';
import { publishedKey } from '../../store/epochs';
import { actorOf } from '../http/actor';
import type { Dependencies } from '../http/dependencies';
import { HttpProblem } from '../http/problem';
import { largeBody, type Route, route, smallBody } from '../http/route';
import { sourceName } from '../http/schemas';
import { visibleSources } from '../sources/visible';

const list = route({
  method: 'get',
  path: '/v1/relays',
  right: 'read',
  summary: 'List relays',
  answers: {
    200: {
      says: 'The relays of the sources that the API key may see.',
      schema: relaysSchema,
    },
  },
  handle: async (deps, { caller }) => {
    const { configuration } = await deps.configuration();
    const visible = new Set(visibleSources(configuration, caller));
    const relays = await listRelays(deps.db);
    const shown = relays.filter(({ source }) => caller.groups === null || visible.has(source));
    return { status: 200, body: { relays: shown } };
  },
});

const create = route({
  method: 'post',
  path: '/v1/relays',
  right: 'enrol-relay',
  summary: 'Register a relay',
  body: smallBody(
    z
      .strictObject({
        source: sourceName.describe('The only source whose captures the relay may submit.'),
        publicKey: publicKeyOf('Ed25519').describe(
          'The public key that verifies the signature of each batch.',
        ),
      })
      .meta({ id: 'NewRelay' }),
  ),
  answers: {
    201: {
      says: 'The relay and its API key. The key is shown only once.',
      schema: relayCreatedSchema,
    },
  },
  problems: ['not_found', 'no_epoch'],
  handle: async ({ db, configuration, settings }, { caller, body }) => {
    if (caller.source !== null && caller.source !== body.source) throw new HttpProblem('not_found');
    if (sourceNamed((await configuration()).configuration, body.source) === undefined)
      throw new HttpProblem('not_found');
    const signer = settings.signer()?.export({ format: 'jwk' });
    if (signer === undefined) throw new HttpProblem('no_epoch');
    const oneTimeKey = hasRight(caller.scopes, 'administer') ? null : caller.keyId;
    const created = await createRelay(db, body, actorOf(caller), oneTimeKey);
    if (created === null) throw new HttpProblem('unauthenticated');
    return { status: 201, body: { ...created, signer: publicKeyOf('Ed25519').parse(signer) } };
  },
});

const numberedStartpoint = z.object({
  number: z.int().describe('Grows with each startpoint that is set.'),
  startpoint: z.union([
    z.object({ from: z.enum(['begin', 'end']) }),
    z.object({ from: z.literal('cursor'), cursor: z.string() }),
    z.object({ from: z.literal('time'), at: time }),
  ]),
});

const cursorSchema = z.object({ segment: z.string(), position: z.int() }).nullable();

const submit = route({
  method: 'post',
  path: '/v1/relays/batch',
  right: 'relay',
  summary: 'Submit captures that are sealed to a worker',
  description:
    'Each record is ingested once and in order; repeated records are skipped. A batch without records only reports the state of the relay. If the result is `taken`, everything up to the cursor is stored durably.',
  body: largeBody(
    z
      .strictObject({
        batch: text(900_000).describe('JWS compact, Ed25519: see `sealing/batch.ts`.'),
      })
      .meta({ id: 'SealedBatch' }),
  ),
  answers: {
    200: {
      says: 'How far the records of this relay have been ingested.',
      schema: z.object({
        result: z.enum(['taken', 'gap', 'repeated']).meta({
          description:
            '- `taken`: the records up to the cursor were ingested.\n- `gap`: nothing was ingested; continue after the cursor.\n- `repeated`: nothing was ingested; use a larger request number.',
        }),
        cursor: cursorSchema.describe('The last record that was ingested.'),
        request: z.int().describe('The largest request number received so far.'),
        key: z
          .object({
            id: z.string(),
            publicKey: publicKeyOf('X25519'),
            sealUntil: time,
            signature: z.string(),
          })
          .nullable()
          .describe('The key to seal to from now on; null if no worker has published one.'),
        startpoint: numberedStartpoint
          .nullable()
          .describe('Where the relay starts reading the source; null if no startpoint is set.'),
      }),
    },
  },
  problems: ['request_invalid'],
  handle: async (deps, { caller, body }) => {
    const { db, settings } = deps;
    const relay = await relayOf(db, caller.keyId);
    if (relay === null) throw new HttpProblem('forbidden');
    const verified = await readBatch(
      body.batch,
      createPublicKey({ key: { ...relay.publicKey }, format: 'jwk' }),
    );
    if (verified === null) throw new HttpProblem('request_invalid', { at: '/batch' });
    const batch = {
      ...verified,
      sentAt: new Date(verified.sentAt),
      oldestAt: verified.oldestAt === null ? null : new Date(verified.oldestAt),
      records: verified.records.map((jwe) => recordOf(relay, jwe)),
    };
    const { unreadable, ...ingested } = await ingestBatch(db, relay, batch, settings.ageLimitMs);
    countCaptures(relay.source, 'relay', 'capture_unreadable', unreadable);
    const set = (await readCaptureControl(db, relay.source))?.startpoint;
    const startpoint = set ? { number: set.number, startpoint: set.startpoint } : null;
    return { status: 200, body: { ...ingested, key: await keyToSealTo(deps), startpoint } };
  },
});

/** The record with its header; null if another relay, or none, sealed it. */
function recordOf(relay: Relay, jwe: string | null): BatchRecord {
  const read = jwe === null ? null : readHeader(jwe);
  if (jwe === null || read?.header.relay !== relay.id || read.header.source !== relay.source)
    return null;
  const { keyId, header } = read;
  return { keyId, jwe: Buffer.from(jwe, 'latin1'), ...header };
}

async function keyToSealTo({ db, settings }: Dependencies) {
  const signer = settings.signer();
  const key: PublishedKey | null = signer && (await publishedKey(db, signer, 'capture'));
  return key && { ...key, publicKey: publicKeyOf('X25519').parse(key.publicKey) };
}

export const relayRoutes: readonly Route[] = [list, create, submit];
