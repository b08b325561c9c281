import { z } from 'zod';
import { acceptRequest } from '../../intake/accept';
import { reachedBy } from '../../intake/covered-groups';
import { CaptureDeclined } from '../../intake/evaluate-capture';
import { findPerson } from '../../intake/find-person';
import type { WhichPerson } from '../../intake/person-reference';
import { IntakeRejected } from '../../intake/rejected';
import { describeCodes, errorCodeOrNull, keysOf } from '../../model/api/fields';
import { type SignInResult, shouldCatchUp, signInResults } from '../../model/captures/sign-in';
import { planChange } from '../../model/change/plan';
import { sourcesOf } from '../../model/configuration/document';
import type { Group } from '../../model/configuration/group';
import type { Secret } from '../../model/passwords/secret';
import { inPlaintext, seal } from '../../sealing/passwords';
import type { Caller } from '../../store/api-keys';
import { requestSignIn } from '../../store/captures/sign-ins';
import { hasOpenChange } from '../../store/changes/stale';
import { newId } from '../../store/ids';
import type { IdentityAtIntake } from '../../store/people/identities';
import { readSourceStates } from '../../store/sources/state';
import { readStale } from '../changes/read-stale';
import { actorOf } from '../http/actor';
import type { Dependencies } from '../http/dependencies';
import { secretText } from '../http/input';
import { group, namedOnce, namedOnceSchemas, personFields, personIn } from '../http/person';
import { HttpProblem } from '../http/problem';
import { type Route, route, smallBody } from '../http/route';
import { waitForJob } from '../sources/wait-for-job';

/** The longest that the person signing in is made to wait. After that the sealed password is gone from the job. */
const ANSWER_WITHIN_MS = 10_000;

const answerSchema = z
  .object({
    result: z.enum(keysOf<SignInResult>(signInResults)).meta({
      description: describeCodes(signInResults),
    }),
    says: z.string(),
    reason: errorCodeOrNull.describe('Why the result is unknown, or why no change was started.'),
    change: z
      .string()
      .nullable()
      .describe('The change that updates stale accounts; null if there is none.'),
  })
  .meta({ id: 'SignIn' });

const body = z
  .strictObject({ ...personFields, password: secretText, group })
  .refine(...namedOnce)
  .meta({ id: 'NewSignIn', oneOf: namedOnceSchemas });

const report = route({
  method: 'post',
  path: '/v1/sign-ins',
  right: 'sign-in',
  summary: 'Report a sign-in, so that stale accounts catch up',
  description:
    'Lockstep verifies the password by one login to the auth account. If it is right and other accounts of the person are stale, a change updates them. This is not an authentication service: after one wrong password Lockstep does not try the account for 15 minutes, after two in a row for a day. Report only sign-ins that your application has accepted itself.',
  body: smallBody(body, {
    byName: { identity: 'alice', password: 'correct horse battery staple' },
    byAccount: {
      account: { source: 'warehouse', name: 'alice' },
      password: 'correct horse battery staple',
    },
  }),
  answers: {
    200: {
      says: 'Whether the password is right, and the change that was started.',
      schema: answerSchema,
    },
  },
  problems: [
    'sign_in_closed',
    'no_auth_account',
    'identity_unknown',
    'group_needed',
    'no_group',
    'no_epoch',
  ],
  handle: async (deps, { caller, body: sent, gone }) => {
    const wanted = { person: personIn(sent), group: sent.group ?? null };
    const auth = await authAccountOf(deps, caller, wanted);
    const { result, reason } = await verify(deps, caller, auth, sent.password, gone);
    const { says } = signInResults[result];
    const caughtUp =
      result === 'holds'
        ? await catchUp(deps, caller, wanted, auth, sent.password)
        : { change: null, reason };
    return { status: 200, body: { result, says, ...caughtUp } };
  },
});

export const signInRoutes: readonly Route[] = [report];

interface WantedPerson {
  readonly person: WhichPerson;
  readonly group: string | null;
}

/** The auth account of a person, and the groups that a change would cover. */
interface AuthAccount {
  readonly identity: IdentityAtIntake;
  readonly groups: readonly Group[];
  readonly source: string;
  readonly accountId: string;
}

async function authAccountOf(
  deps: Dependencies,
  caller: Caller,
  wanted: WantedPerson,
): Promise<AuthAccount> {
  const identity = await findPerson(deps, caller, wanted.person);
  const { configuration, groups } = await reachedBy(deps, caller, wanted, identity);
  if (identity === null) throw new HttpProblem('identity_unknown');
  const { accounts } = identity;
  const plan = planChange({ groups, sources: sourcesOf(configuration), accounts });
  const auth = plan.find(({ role, leftOut }) => role === 'auth' && leftOut === null);
  if (!auth?.accountId) throw new HttpProblem('no_auth_account');
  return { identity, groups, source: auth.source, accountId: auth.accountId };
}

type Verified = Pick<z.output<typeof answerSchema>, 'result' | 'reason'>;

/** Has a worker log in to the auth account. The result is `unknown` if no worker answers in time. */
async function verify(
  deps: Dependencies,
  caller: Caller,
  { identity, source, accountId }: AuthAccount,
  password: Secret,
  gone: AbortSignal,
): Promise<Verified> {
  const state = (await readSourceStates(deps.db)).get(source);
  if (state !== undefined && state.state !== 'up')
    return { result: 'unknown', reason: state.reason };
  const key = await deps.keyToSealTo(identity.now, false);
  if (key === null) throw new HttpProblem('no_epoch');
  const id = newId('job');
  const expiresAt = new Date(identity.now.getTime() + ANSWER_WITHIN_MS);
  const sealedFor = { changeId: id, identityId: identity.id, seq: 0, expiresAt };
  const closedForSeconds = await requestSignIn(deps.db, {
    id,
    accountId,
    source,
    identityId: identity.id,
    epochId: key.epochId,
    jwe: await seal(key, sealedFor, inPlaintext(password, null)),
    expiresAt,
    requestedBy: actorOf(caller),
  });
  if (closedForSeconds !== null)
    throw new HttpProblem('sign_in_closed', {}, { 'retry-after': String(closedForSeconds) });
  const finished = await waitForJob(deps, id, ANSWER_WITHIN_MS, gone);
  const result = answerSchema.pick({ result: true, reason: true }).safeParse(finished?.result);
  return result.success ? result.data : { result: 'unknown', reason: null };
}

/**
 * Starts a change from the auth account, if other accounts are stale. It skips accounts that already hold the password.
 * It is not started while another change is open, which may carry a newer password.
 */
async function catchUp(
  deps: Dependencies,
  caller: Caller,
  { person, group: wanted }: WantedPerson,
  { identity, groups, accountId }: AuthAccount,
  password: Secret,
): Promise<Pick<z.output<typeof answerSchema>, 'change' | 'reason'>> {
  const names = groups.map(({ name }) => name);
  const page = { groups: names, source: null, identity: identity.name, limit: 1000, cursor: null };
  const underWay = await hasOpenChange(deps.db, identity.id);
  if (underWay || !shouldCatchUp(accountId, await readStale(deps, page)))
    return { change: null, reason: null };
  const proved = {
    accountId,
    capturedAt: identity.now,
    group: wanted ?? names[0] ?? '',
    checksCurrent: false,
    looksFirst: true,
    lastSeq: identity.lastSeq,
  };
  try {
    const passwords = inPlaintext(password, null);
    const request = {
      person,
      group: wanted,
      passwords,
      idempotencyKey: null,
      capture: null,
      proved,
    };
    const accepted = await acceptRequest(deps, caller, request);
    return { change: accepted.replayed ? accepted.changeId : accepted.change.id, reason: null };
  } catch (error) {
    // Another change came first, so nothing has to catch up. Or the change was rejected, although the sign-in was right.
    if (error instanceof CaptureDeclined) return { change: null, reason: null };
    if (error instanceof IntakeRejected) return { change: null, reason: error.code };
    throw error;
  }
}
