import { z } from 'zod';
import type { AcceptedRequest } from '../../intake/accept';
import { asHash } from '../../intake/captured-hash';
import type { Quiet } from '../../intake/evaluate-capture';
import { changeSchema } from '../../model/api/changes';
import { captureRules, type Declined } from '../../model/captures/capture';
import { isErrorCode } from '../../model/errors';
import { inPlaintext, type Passwords } from '../../sealing/passwords';
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
    source: sourceName.describe('Where it was changed.'),
    account: accountName.describe('How the source calls the account.'),
    password: secretText.optional().describe('The new password.'),
    encoded: secretText
      .optional()
      .describe(
        'Or its hash, such as `{SSHA512}…`, from a source whose capture.forms names the scheme. No policy judges it.',
      ),
    currentPassword: secretText
      .optional()
      .describe(
        'The one before. Needed, unless this is the auth source, or capture.verifyCurrent is off for it.',
      ),
    capturedAt: z.iso
      .datetime({ offset: true })
      .transform((at) => new Date(at))
      .describe('When it was changed there, with milliseconds, by a clock that is kept in time.'),
  })
  .refine(({ password, encoded }) => (password === undefined) !== (encoded === undefined), {
    message: 'send either password or encoded',
  })
  .meta({ id: 'NewCapture' });

const quiet = (Object.keys(captureRules) as Declined[]).filter(
  (rule): rule is Quiet => !isErrorCode(rule),
) as [Quiet, ...Quiet[]];

const declinedSchema = z
  .object({
    result: z.enum(quiet).meta({
      description: quiet.map((rule) => `- \`${rule}\`: ${captureRules[rule].says}`).join('\n'),
    }),
    says: z.string(),
  })
  .meta({ id: 'CaptureDeclined' });

export const takeCapture: Route = route({
  method: 'post',
  path: '/v1/captures',
  scope: 'capture',
  summary: 'Report a password that was changed in a source',
  description:
    'It is carried to the other accounts of the person, and not written back. When this answers, it is durable, or nothing has to be done; send it again until it answers.',
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
  answers: {
    200: { says: 'Nothing has to be done, and why.', schema: declinedSchema },
    202: {
      says: 'A change is started.',
      schema: changeSchema,
      headers: {
        location: 'The address of the change.',
        'idempotency-replayed':
          '`true`: this capture was accepted before, under the same Idempotency-Key.',
      },
    },
  },
  problems: [
    'capture_disabled',
    'captures_stopped',
    'form_not_taken',
    'encoding_unknown',
    'current_password_missing',
    'password_against_policy',
    'unsupported_character',
    'idempotency_conflict',
    'no_epoch',
  ],
  handle: async (deps, { caller, headers, body }) => {
    const { source, account, capturedAt } = body;
    const capture = { source, account, capturedAt };
    const key = headers['idempotency-key'] ?? null;
    const taken = await ingestCapture(deps, caller, capture, () => passwordsIn(body), key);
    if (typeof taken !== 'string') return started(deps, taken);
    return { status: 200 as const, body: { result: taken, says: captureRules[taken].says } };
  },
});

function passwordsIn({ password, encoded, currentPassword }: z.output<typeof body>): Passwords {
  const current = currentPassword ?? null;
  if (password !== undefined) return inPlaintext(password, current);
  if (encoded !== undefined) return asHash(encoded, current);
  throw new HttpProblem('request_invalid');
}

async function started(deps: Dependencies, taken: AcceptedRequest) {
  const view = taken.replayed ? await readChange(deps.db, taken.changeId) : taken.change;
  if (view === null) throw new HttpProblem('not_found');
  const standstill = await deps.standstill().catch(() => null);
  const headers = {
    location: changeUrl(deps.settings, view.id),
    ...(taken.replayed ? { 'idempotency-replayed': 'true' } : {}),
  };
  return { status: 202 as const, body: changeOf(view, standstill, deps.settings), headers };
}
