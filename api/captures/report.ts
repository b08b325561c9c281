import { z } from 'zod';
import type { AcceptedRequest } from '../../intake/accept';
import type { CaptureVia } from '../../intake/capture-counter';
import { asHash } from '../../intake/captured-hash';
import type { Capture, Quiet } from '../../intake/evaluate-capture';
import { changeSchema } from '../../model/api/changes';
import { captureRules, type Declined } from '../../model/captures/capture';
import { type ErrorCode, isErrorCode } from '../../model/errors';
import { inPlaintext, type Passwords } from '../../sealing/passwords';
import type { Caller } from '../../store/api-keys';
import { readChange } from '../../store/changes/read';
import { changeOf, changeUrl } from '../changes/change';
import type { Dependencies } from '../http/dependencies';
import { secretText } from '../http/input';
import { HttpProblem } from '../http/problem';
import { type Route, route, smallBody } from '../http/route';
import { accountName, idempotencyKey, sourceName } from '../http/schemas';
import { ingestCapture } from './ingest';

const body = z
  .strictObject({
    source: sourceName.describe('The source in which the password was changed.'),
    account: accountName.describe('The name of the account in its source.'),
    password: secretText.optional().describe('The new password.'),
    encoded: secretText
      .optional()
      .describe(
        'The hash of the new password instead, such as `{SSHA512}…`, from a source whose `capture.forms` lists the scheme. Policies cannot check a hash.',
      ),
    currentPassword: secretText
      .optional()
      .describe(
        'The previous password. Required unless this is the auth source or `capture.verifyCurrent` is off for it.',
      ),
    capturedAt: z.iso
      .datetime({ offset: true })
      .transform((at) => new Date(at))
      .describe(
        'When the password was changed in the source, with milliseconds, by a synchronised clock.',
      ),
  })
  .refine(({ password, encoded }) => (password === undefined) !== (encoded === undefined), {
    message: 'send either password or encoded',
  })
  .meta({ id: 'NewCapture', oneOf: [{ required: ['password'] }, { required: ['encoded'] }] });

const declinedResults = (Object.keys(captureRules) as Declined[]).filter(
  (rule): rule is Quiet => !isErrorCode(rule),
) as [Quiet, ...Quiet[]];

const declinedSchema = z
  .object({
    result: z.enum(declinedResults).meta({
      description: declinedResults
        .map((rule) => `- \`${rule}\`: ${captureRules[rule].says}`)
        .join('\n'),
    }),
    says: z.string(),
  })
  .meta({ id: 'CaptureDeclined' });

export const captureAnswers = {
  200: { says: 'The capture starts no change; the result says why.', schema: declinedSchema },
  202: {
    says: 'The capture has started a change.',
    schema: changeSchema,
    headers: {
      location: 'The URL of the change.',
      'idempotency-replayed':
        '`true` if this capture was accepted earlier, under the same Idempotency-Key.',
    },
  },
} as const;

export const captureProblems = [
  'capture_disabled',
  'sync_not_allowed',
  'captures_stopped',
  'form_not_taken',
  'encoding_unknown',
  'current_password_missing',
  'password_against_policy',
  'unsupported_character',
  'idempotency_conflict',
  'no_epoch',
] as const satisfies readonly ErrorCode[];

export const reportCapture: Route = route({
  method: 'post',
  path: '/v1/captures',
  right: 'capture',
  summary: 'Report a password change in a source',
  description:
    'The password is written to the other accounts of the person, but not back to this one. When the API answers, the capture is stored durably or needs no action. Repeat the request until it is answered.',
  headers: z.object({ 'idempotency-key': idempotencyKey }),
  body: smallBody(body, {
    member: {
      source: 'warehouse',
      account: 'alice',
      password: 'correct horse battery staple',
      currentPassword: 'the one before',
      capturedAt: '2026-01-31T12:00:00.000Z',
    },
  }),
  answers: captureAnswers,
  problems: captureProblems,
  handle: (deps, { caller, headers, body }) => {
    const { source, account, capturedAt } = body;
    return ingestAndAnswer(deps, caller, {
      capture: { source, account, capturedAt },
      readPasswords: () => passwordsIn(body),
      idempotencyKey: headers['idempotency-key'] ?? null,
      via: 'api',
    });
  },
});

interface Reported {
  readonly capture: Capture;
  readonly readPasswords: () => Passwords;
  readonly idempotencyKey: string | null;
  readonly via: CaptureVia;
}

/** Ingests a captured password, and answers with the change that it has started or the reason why it started none. */
export async function ingestAndAnswer(
  deps: Dependencies,
  caller: Caller,
  { capture, readPasswords, idempotencyKey: key, via }: Reported,
) {
  const result = await ingestCapture(deps, caller, capture, readPasswords, key, via);
  if (typeof result !== 'string') return started(deps, result);
  return { status: 200 as const, body: { result, says: captureRules[result].says } };
}

function passwordsIn({ password, encoded, currentPassword }: z.output<typeof body>): Passwords {
  const current = currentPassword ?? null;
  if (password !== undefined) return inPlaintext(password, current);
  if (encoded !== undefined) return asHash(encoded, current);
  throw new HttpProblem('request_invalid');
}

async function started(deps: Dependencies, accepted: AcceptedRequest) {
  const view = accepted.replayed ? await readChange(deps.db, accepted.changeId) : accepted.change;
  if (view === null) throw new HttpProblem('not_found');
  const standstill = await deps.standstill().catch(() => null);
  const inForce = await deps.configuration().catch(() => null);
  const headers = {
    location: changeUrl(deps.settings, view.id),
    ...(accepted.replayed ? { 'idempotency-replayed': 'true' } : {}),
  };
  return {
    status: 202 as const,
    body: changeOf(view, standstill, deps.settings, inForce?.configuration ?? null),
    headers,
  };
}
