import { z } from 'zod';
import {
  acknowledgedSchema,
  acknowledgementOf,
  adapterSchema,
  initialisedSchema,
  newSessionSchema,
  receivedSchema,
} from '../../model/api/adapters';
import { inPlaintext } from '../../sealing/passwords';
import {
  initialiseAdapter,
  noteCall,
  readAdapter,
  reportStatus,
} from '../../store/adapters/connected';
import { acknowledge } from '../../store/adapters/messages';
import { captureAnswers, captureProblems, ingestAndAnswer } from '../captures/report';
import { actorOf } from '../http/actor';
import { secretText } from '../http/input';
import { HttpProblem } from '../http/problem';
import { type Route, route, smallBody } from '../http/route';
import { accountName, idempotencyKey, sourceName, WAIT_MAX_SECONDS } from '../http/schemas';
import { visibleSources } from '../sources/visible';
import { adapterSettings } from './adapter-settings';
import { receiveMessages, writeMessages } from './receive';
import { adapterKey, canSealTo } from './sessions';

const params = z.strictObject({ source: sourceName });

const read = route({
  method: 'get',
  path: '/v1/adapters/{source}',
  right: 'read',
  summary: 'Read whether the adapter of a source is online',
  params,
  answers: { 200: { says: 'The adapter, as it last called.', schema: adapterSchema } },
  problems: ['not_found'],
  handle: async ({ db, configuration }, { caller, params: { source } }) => {
    const visible = visibleSources((await configuration()).configuration, caller);
    const adapter = visible.includes(source) ? await readAdapter(db, source) : null;
    if (adapter === null) throw new HttpProblem('not_found');
    return { status: 200, body: adapter };
  },
});

const initialise = route({
  method: 'post',
  path: '/v1/adapters/{source}/initialise',
  right: 'adapter',
  summary: 'Connect an adapter, or connect it again',
  description:
    'Call this at each start, and after the problem `adapter_not_initialised`. Messages that were not acknowledged are delivered again.',
  params,
  body: smallBody(newSessionSchema, {
    withKey: {
      publicKey: {
        ...{ kty: 'OKP', crv: 'X25519' },
        x: 'hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo',
      },
    },
    withoutKey: {},
  }),
  answers: { 200: { says: 'The adapter is connected.', schema: initialisedSchema } },
  problems: ['not_found', 'adapter_disabled'],
  handle: async (deps, { caller, params: { source }, body }) => {
    const { retryDelaySeconds, maxPending } = await adapterSettings(deps, caller, source);
    const own = body?.publicKey !== undefined;
    if (body?.publicKey && !canSealTo(body.publicKey))
      throw new HttpProblem('request_invalid', {
        issues: [
          { path: ['publicKey', 'x'], says: 'is not a key to which messages can be sealed' },
        ],
      });
    const key = body?.publicKey
      ? await adapterKey(body.publicKey)
      : await deps.adapterSessions.begin(source);
    const unacknowledged = await initialiseAdapter(
      deps.db,
      source,
      { ...key, own },
      actorOf(caller),
    );
    const session = { keyId: key.id, sealed: own, retryDelaySeconds, maxPending, unacknowledged };
    return { status: 200, body: session };
  },
});

const receive = route({
  method: 'post',
  path: '/v1/adapters/{source}/receive',
  right: 'adapter',
  summary: 'Receive password changes',
  description:
    'Waits until there is one, for `waitSeconds` at most. Each message is leased: acknowledge it with complete until `acknowledgeBy`, otherwise it is delivered again.',
  params,
  body: smallBody(
    z
      .strictObject({
        waitSeconds: z.int().min(0).max(WAIT_MAX_SECONDS).default(30),
        max: z.int().min(1).max(100).default(1).describe('Maximum number of messages.'),
      })
      .optional(),
    { several: { waitSeconds: 60, max: 8 } },
  ),
  answers: {
    200: {
      says: 'The messages; none if there was none in this time.',
      contentType: 'application/json',
      streams: receivedSchema,
    },
  },
  problems: ['not_found', 'adapter_disabled', 'adapter_not_initialised', 'too_many_pending'],
  handle: async (deps, { caller, params: { source }, body, gone }) => {
    const { waitSeconds = 30, max = 1 } = body ?? {};
    const wanted = { source, most: max, waitMs: waitSeconds * 1000 };
    const received = await receiveMessages(deps, caller, wanted, gone);
    return {
      status: 200,
      headers: { 'content-type': 'application/json' },
      stream: (response) => writeMessages(response, received),
    };
  },
});

const complete = route({
  method: 'post',
  path: '/v1/adapters/{source}/complete',
  right: 'adapter',
  summary: 'Acknowledge a password change',
  description:
    'The result becomes the outcome of the account. Repeat the request until it is answered. The first result of a message counts.',
  params,
  body: smallBody(
    acknowledgementOf(
      secretText
        .optional()
        .describe(
          'A text about the result. It is dropped, because it may repeat a password: write it to the log of the adapter.',
        ),
    ),
    {
      applied: { trackingId: 'msg_01jd8x4y6q0000000000000000', result: 'applied' },
      rejected: {
        trackingId: 'msg_01jd8x4y6q0000000000000000',
        ...{ result: 'rejected', reason: 'policy_history', code: 'ICH408I' },
      },
    },
  ),
  answers: { 200: { says: 'What the acknowledgement did.', schema: acknowledgedSchema } },
  problems: ['not_found', 'adapter_disabled'],
  handle: async (deps, { caller, params: { source }, body }) => {
    await adapterSettings(deps, caller, source);
    await noteCall(deps.db, source);
    const { trackingId, result, reason, code, retryAfterSeconds } = body;
    const settled = {
      result,
      reason: reason ?? null,
      vendorCode: code ?? null,
      retryAfterMs: retryAfterSeconds === undefined ? null : retryAfterSeconds * 1000,
    };
    const effect = await acknowledge(deps.db, source, trackingId, settled, actorOf(caller));
    if (effect === null) throw new HttpProblem('not_found');
    return { status: 200, body: { effect } };
  },
});

const send = route({
  method: 'post',
  path: '/v1/adapters/{source}/send',
  right: 'adapter',
  summary: 'Send a password change that was made in the source',
  description:
    'The same as `POST /v1/captures`, with the key of the adapter. Repeat the request until it is answered.',
  params,
  headers: z.object({ 'idempotency-key': idempotencyKey }),
  body: smallBody(
    z
      .strictObject({
        account: accountName.describe('The name of the account in the source.'),
        password: secretText.describe('The new password.'),
        oldPassword: secretText.optional().describe('The password before, if it is known.'),
        changedAt: z.iso
          .datetime({ offset: true })
          .transform((at) => new Date(at))
          .optional()
          .describe('When the password was changed, by a synchronised clock. Default: now.'),
      })
      .meta({ id: 'SentChange' }),
    {
      changed: {
        ...{ account: 'ALICE', password: 'the new one', oldPassword: 'the one before' },
        changedAt: '2026-01-31T12:00:00.000Z',
      },
    },
  ),
  answers: captureAnswers,
  problems: ['not_found', 'adapter_disabled', ...captureProblems],
  handle: async (deps, { caller, params: { source }, headers, body }) => {
    await adapterSettings(deps, caller, source);
    const { account, password, oldPassword = null, changedAt } = body;
    return ingestAndAnswer(deps, caller, {
      capture: {
        ...{ source, account, capturedAt: changedAt ?? new Date() },
        undated: changedAt === undefined,
      },
      readPasswords: () => inPlaintext(password, oldPassword),
      idempotencyKey: headers['idempotency-key'] ?? null,
      via: 'adapter',
    });
  },
});

const status = route({
  method: 'post',
  path: '/v1/adapters/{source}/status',
  right: 'adapter',
  summary: 'Report that an adapter goes offline, or is online again',
  description:
    'An adapter that neither receives nor acknowledges for 90 seconds counts as offline, too.',
  params,
  body: smallBody(
    z.strictObject({ status: z.enum(['online', 'offline']) }).meta({ id: 'AdapterStatus' }),
  ),
  answers: { 204: { says: 'The status is recorded.' } },
  problems: ['not_found', 'adapter_disabled', 'adapter_not_initialised'],
  handle: async (deps, { caller, params: { source }, body }) => {
    await adapterSettings(deps, caller, source);
    const recorded = await reportStatus(deps.db, source, body.status, actorOf(caller));
    if (!recorded) throw new HttpProblem('adapter_not_initialised');
    return { status: 204 };
  },
});

export const adapterRoutes: readonly Route[] = [read, initialise, receive, complete, send, status];
