import { z } from 'zod';
import { acceptRequest, type WantedChange } from '../../intake/accept';
import { changeSchema } from '../../model/api/changes';
import { hasEnded } from '../../model/change/change';
import { inPlaintext } from '../../sealing/passwords';
import { type ChangeView, readChange } from '../../store/changes/read';
import { isAway } from '../../store/database';
import type { Dependencies } from '../http/dependencies';
import { secretText } from '../http/input';
import { appliedPreference, type Preference, preferHeader } from '../http/prefer';
import { HttpProblem } from '../http/problem';
import { type Route, route, smallBody } from '../http/route';
import { idempotencyKey } from '../http/schemas';
import { changeOf, changeUrl } from './change';
import { authApplied, waitForChange } from './waiting';
import { group, oneOfBoth, personIn, whoFields } from './who';

const body = z
  .strictObject({
    ...whoFields,
    password: secretText,
    currentPassword: secretText
      .optional()
      .describe('When given, the auth account is asked first whether it holds this one.'),
    group,
  })
  .refine(...oneOfBoth)
  .meta({ id: 'NewChange' });

const answerHeaders = {
  location: 'The address of the change.',
  'preference-applied': 'What of Prefer was honoured.',
  'idempotency-replayed':
    '`true`: this change was accepted before, under the same Idempotency-Key.',
};

export const startChange: Route = route({
  method: 'post',
  path: '/v1/changes',
  scope: 'trigger',
  summary: 'Change a password everywhere',
  description:
    'When this answers, the change is durable. Send an Idempotency-Key, and the request may be repeated until it is answered.',
  headers: z.object({
    'idempotency-key': idempotencyKey,
    prefer: preferHeader,
  }),
  body: smallBody(body, {
    byName: { identity: 'alice', password: 'correct horse battery staple' },
    byAccount: {
      account: { source: 'corp-directory', name: 'uid=alice,ou=people,dc=example,dc=com' },
      password: 'correct horse battery staple',
      currentPassword: 'the one before',
      group: 'one-password',
    },
  }),
  answers: {
    200: {
      says: 'It has ended `done` or `partial`; with `until=auth`: the auth account holds the new password.',
      schema: changeSchema,
      headers: answerHeaders,
    },
    202: { says: 'Accepted, and not decided yet.', schema: changeSchema, headers: answerHeaders },
  },
  problems: [
    'auth_account_refused',
    'password_against_policy',
    'policy_file_unreadable',
    'group_needed',
    'no_group',
    'identity_unknown',
    'unsupported_character',
    'idempotency_conflict',
    'no_epoch',
  ],
  handle: async (deps, call) => {
    const { caller, headers, gone } = call;
    const taken = await acceptRequest(deps, caller, wantedChange(call));
    const id = taken.replayed ? taken.changeId : taken.change.id;
    const known = taken.replayed ? null : taken.change;
    const change = await afterWaiting(deps, id, known, headers.prefer, gone);
    return answer(deps, change, headers.prefer, {
      location: changeUrl(deps.settings, id),
      ...appliedPreference(headers.prefer),
      ...(taken.replayed ? { 'idempotency-replayed': 'true' } : {}),
    });
  },
});

function wantedChange(call: {
  readonly headers: { readonly 'idempotency-key'?: string | undefined };
  readonly body: z.output<typeof body>;
}): WantedChange {
  const { password, currentPassword } = call.body;
  return {
    person: personIn(call.body),
    group: call.body.group ?? null,
    passwords: inPlaintext(password, currentPassword ?? null),
    idempotencyKey: call.headers['idempotency-key'] ?? null,
    capture: null,
  };
}

/**
 * @param known the change as it was accepted a moment ago; null for one from before
 */
async function afterWaiting(
  deps: Dependencies,
  id: string,
  known: ChangeView | null,
  preference: Preference,
  gone: AbortSignal,
): Promise<ChangeView> {
  if (preference.waitMs === 0 && known !== null) return known;
  try {
    if (preference.waitMs > 0) await waitForChange(deps, id, preference, gone);
    const change = await readChange(deps.db, id);
    if (change !== null) return change;
  } catch (error) {
    // What was accepted stays accepted, whatever happens to the database while somebody waits.
    if (known === null || !isAway(error)) throw error;
  }
  if (known === null) throw new HttpProblem('not_found');
  return known;
}

async function answer(
  deps: Dependencies,
  view: ChangeView,
  { until }: Preference,
  headers: Readonly<Record<string, string>>,
) {
  const standstill = await deps.standstill().catch(() => null);
  const change = changeOf(view, standstill, deps.settings);
  if (view.state === 'done' || view.state === 'partial' || (until === 'auth' && authApplied(view)))
    return { status: 200 as const, body: change, headers };
  if (hasEnded(view.state))
    throw new HttpProblem('auth_account_refused', { reason: view.reason, change }, headers);
  return { status: 202 as const, body: change, headers };
}
