import { createPublicKey } from 'node:crypto';
import { z } from 'zod';
import { text, time } from '../../model/api/fields';
import { publicKeyOf, relayCreatedSchema, relaysSchema } from '../../model/api/relays';
import { readBatch } from '../../sealing/batch';
import { readHeader } from '../../sealing/captures';
import type { PublishedKey } from '../../sealing/published-key';
import { readCaptureControl } from '../../store/captures/control';
import {
  type BatchRecord,
  createRelay,
  ingestBatch,
  listRelays,
  type Relay,
  relayOf,
} from '../../store/captures/relays';
import { publishedKey } from '../../store/epochs';
import type { Dependencies } from '../http/dependencies';
import { own } from '../http/own';
import { HttpProblem } from '../http/problem';
import { largeBody, type Route, route, smallBody } from '../http/route';
import { sourceName } from '../http/schemas';
import { visibleSources } from '../sources/view';

/** Relays: processes beside a source that seal what was captured there before they answer. */

const list = route({
  method: 'get',
  path: '/v1/relays',
  scope: 'read',
  summary: 'List relays',
  answers: {
    200: {
      says: 'Those of the sources that the key may see.',
      schema: relaysSchema,
    },
  },
  handle: async (deps, { caller }) => {
    const { configuration } = await deps.configuration();
    const seen = new Set(visibleSources(configuration, caller));
    const relays = await listRelays(deps.db);
    const visible = relays.filter(({ source }) => caller.groups === null || seen.has(source));
    return { status: 200, body: { relays: visible } };
  },
});

const create = route({
  method: 'post',
  path: '/v1/relays',
  scope: 'admin',
  summary: 'Register a relay',
  body: smallBody(
    z
      .strictObject({
        source: sourceName.describe('Whose captures it brings; those of no other.'),
        publicKey: publicKeyOf('Ed25519').describe('By which it signs what it sends.'),
      })
      .meta({ id: 'NewRelay' }),
  ),
  answers: {
    201: {
      says: 'The relay, and its API key, which nobody can read again.',
      schema: relayCreatedSchema,
    },
  },
  problems: ['not_found', 'no_epoch'],
  handle: async ({ db, configuration, settings }, { caller, body }) => {
    if (own((await configuration()).configuration.sources, body.source) === undefined)
      throw new HttpProblem('not_found');
    const signer = settings.signer()?.export({ format: 'jwk' });
    if (signer === undefined) throw new HttpProblem('no_epoch');
    const made = await createRelay(db, body, `api-key:${caller.keyId}`);
    return { status: 201, body: { ...made, signer: publicKeyOf('Ed25519').parse(signer) } };
  },
});

const numberedStartpoint = z.object({
  number: z.int().describe('Grows with each that is set.'),
  startpoint: z.union([
    z.object({ from: z.enum(['begin', 'end']) }),
    z.object({ from: z.literal('cursor'), cursor: z.string() }),
    z.object({ from: z.literal('time'), at: time }),
  ]),
});

const cursorSchema = z.object({ segment: z.string(), position: z.int() }).nullable();

const bring = route({
  method: 'post',
  path: '/v1/relays/batch',
  scope: 'relay',
  summary: 'Bring captures that are sealed to a worker',
  description:
    'Each record is taken in once, in its order; one that is told again is skipped. A batch without records only says how the relay is. When this answers `taken`, everything up to the cursor is durable.',
  body: largeBody(
    z
      .strictObject({
        batch: text(900_000).describe('JWS compact, Ed25519: see `sealing/batch.ts`.'),
      })
      .meta({ id: 'SealedBatch' }),
  ),
  answers: {
    200: {
      says: 'How far the relay has come.',
      schema: z.object({
        result: z.enum(['taken', 'gap', 'repeated']).meta({
          description:
            '- `taken`: up to the cursor.\n- `gap`: nothing; go on behind the cursor.\n- `repeated`: nothing; use a larger request number.',
        }),
        cursor: cursorSchema.describe('The last record that was taken in.'),
        request: z.int().describe('The largest request number so far.'),
        key: z
          .object({
            id: z.string(),
            publicKey: publicKeyOf('X25519'),
            sealUntil: time,
            signature: z.string(),
          })
          .nullable()
          .describe('What to seal to from now on; null when no worker has published one.'),
        startpoint: numberedStartpoint
          .nullable()
          .describe('From where the source is to be read; null: nobody has said.'),
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
    const taken = await ingestBatch(db, relay, batch, settings.ageLimitMs);
    const set = (await readCaptureControl(db, relay.source))?.startpoint;
    const startpoint = set ? { number: set.number, startpoint: set.startpoint } : null;
    return { status: 200, body: { ...taken, key: await keyToSealTo(deps), startpoint } };
  },
});

/** Null for what is not of this relay. */
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

export const relayRoutes: readonly Route[] = [list, create, bring];
