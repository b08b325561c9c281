import { z } from 'zod';
import { acceptRequest, type WantedChange } from '../../intake/accept';
import { changeSchema } from '../../model/api/changes';
import { hasRight } from '../../model/api/scopes';
import { hasEnded } from '../../model/change/change';
import { inPlaintext } from '../../sealing/passwords';
import { type ChangeView, readChange } from '../../store/changes/read';
import { isAway } from '../../store/database';
import type { Dependencies } from '../http/dependencies';
import { secretText } from '../http/input';
import { group, namedOnce, namedOnceSchemas, personFields, personIn } from '../http/person';
import { appliedPreference, type Preference, preferHeader } from '../http/prefer';
import { HttpProblem } from '../http/problem';
import { type Route, route, smallBody } from '../http/route';
import { idempotencyKey } from '../http/schemas';
import { changeOf, changeUrl } from './change';
import { authApplied, waitForChange } from './waiting';

const body = z
  .strictObject({
    ...personFields,
    password: secretText,
    currentPassword: secretText
      .optional()
      .describe(
        'If given, Lockstep first verifies that the auth account holds this password. Required for a key with `change-own` only.',
      ),
    group,
  })
  .refine(...namedOnce)
  .meta({ id: 'NewChange', oneOf: namedOnceSchemas });

const answerHeaders = {
  location: 'The URL of the change.',
  'preference-applied': 'The preferences of the `Prefer` header that were applied.',
  'idempotency-replayed':
    '`true` if this change was accepted earlier, under the same Idempotency-Key.',
};

export const startChange: Route = route({
  method: 'post',
  path: '/v1/changes',
  right: 'change-own',
  summary: 'Change a password everywhere',
  description:
    'When the API answers, the change is stored durably. With an Idempotency-Key the request can be repeated safely until it is answered.',
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
      says: 'The change has ended as `done` or `partial`. With `until=auth`: the auth account holds the new password.',
      schema: changeSchema,
      headers: answerHeaders,
    },
    202: {
      says: 'The change is accepted; its outcome is not known yet.',
      schema: changeSchema,
      headers: answerHeaders,
    },
  },
  problems: [
    'current_password_needed',
    'auth_account_refused',
    'no_auth_account',
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
    if (!hasRight(caller.scopes, 'change') && call.body.currentPassword === undefined)
      throw new HttpProblem('current_password_needed');
    const accepted = await acceptRequest(deps, caller, wantedChange(call));
    const id = accepted.replayed ? accepted.changeId : accepted.change.id;
    const initial = accepted.replayed ? null : accepted.change;
    const change = await afterWaiting(deps, id, initial, headers.prefer, gone);
    return answer(deps, change, headers.prefer, {
      location: changeUrl(deps.settings, id),
      ...appliedPreference(headers.prefer),
      ...(accepted.replayed ? { 'idempotency-replayed': 'true' } : {}),
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
 * The change after the wait that the client asked for.
 * @param initial the change as it was accepted by this request; null if an earlier request created it
 */
async function afterWaiting(
  deps: Dependencies,
  id: string,
  initial: ChangeView | null,
  preference: Preference,
  gone: AbortSignal,
): Promise<ChangeView> {
  if (preference.waitMs === 0 && initial !== null) return initial;
  try {
    if (preference.waitMs > 0) await waitForChange(deps, id, preference, gone);
    const change = await readChange(deps.db, id);
    if (change !== null) return change;
  } catch (error) {
    // The change is accepted even if the database fails while the client waits.
    if (initial === null || !isAway(error)) throw error;
  }
  if (initial === null) throw new HttpProblem('not_found');
  return initial;
}

async function answer(
  deps: Dependencies,
  view: ChangeView,
  { until }: Preference,
  headers: Readonly<Record<string, string>>,
) {
  const standstill = await deps.standstill().catch(() => null);
  const inForce = await deps.configuration().catch(() => null);
  const change = changeOf(view, standstill, deps.settings, inForce?.configuration ?? null);
  if (view.state === 'done' || view.state === 'partial' || (until === 'auth' && authApplied(view)))
    return { status: 200 as const, body: change, headers };
  if (hasEnded(view.state))
    throw new HttpProblem(
      view.reason === 'no_auth_account' ? view.reason : 'auth_account_refused',
      { reason: view.reason, change },
      headers,
    );
  return { status: 202 as const, body: change, headers };
}
