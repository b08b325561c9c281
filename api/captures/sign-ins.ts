import { z } from 'zod';
import { acceptRequest } from '../../intake/accept';
import { reachedBy } from '../../intake/covered-groups';
import { CaptureDeclined } from '../../intake/evaluate-capture';
import type { WhichPerson } from '../../intake/person-reference';
import { IntakeRejected } from '../../intake/rejected';
import { errorCode } from '../../model/api/fields';
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
import { findIdentity, type IdentityAtIntake } from '../../store/people/identities';
import { readSourceStates } from '../../store/sources/state';
import { readStale } from '../changes/stale';
import { group, oneOfBoth, personIn, whoFields } from '../changes/who';
import type { Dependencies } from '../http/dependencies';
import { secretText } from '../http/input';
import { HttpProblem } from '../http/problem';
import { type Route, route, smallBody } from '../http/route';
import { waitForJob } from '../sources/jobs';

/** Longer nobody waits to be let in; a worker that comes later finds the password gone. */
const ANSWER_WITHIN_MS = 10_000;

const results = Object.keys(signInResults) as [SignInResult, ...SignInResult[]];

const answerSchema = z
  .object({
    result: z.enum(results).meta({
      description: results.map((one) => `- \`${one}\`: ${signInResults[one].says}`).join('\n'),
    }),
    says: z.string(),
    reason: errorCode.nullable().describe('Why it is not known, or why nothing is caught up.'),
    change: z.string().nullable().describe('The change that brings stale accounts back, if any.'),
  })
  .meta({ id: 'SignIn' });

const body = z
  .strictObject({ ...whoFields, password: secretText, group })
  .refine(...oneOfBoth)
  .meta({ id: 'NewSignIn' });

const report = route({
  method: 'post',
  path: '/v1/sign-ins',
  scope: 'sign-in',
  summary: 'Report a sign-in, so that accounts that missed a change catch up',
  description:
    'The auth account is asked by one login whether it holds the password. When it does, and other accounts of the person are stale, a change brings them back. This is no authentication service: after one wrong password the account is asked no more for 15 minutes, after two in a row for a day. Report what you have let in yourself.',
  body: smallBody(body, {
    byName: { identity: 'alice', password: 'correct horse battery staple' },
    byAccount: {
      account: { source: 'warehouse', name: 'alice' },
      password: 'correct horse battery staple',
    },
  }),
  answers: { 200: { says: 'What was learned, and done.', schema: answerSchema } },
  problems: [
    'sign_in_closed',
    'no_auth_account',
    'identity_unknown',
    'group_needed',
    'no_group',
    'no_epoch',
  ],
  handle: async (deps, { caller, body: sent, gone }) => {
    const who = { person: personIn(sent), group: sent.group ?? null };
    const asked = await whomToAsk(deps, caller, who);
    const { result, reason } = await ask(deps, caller, asked, sent.password, gone);
    const { says } = signInResults[result];
    const caughtUp =
      result === 'holds'
        ? await catchUp(deps, caller, who, asked, sent.password)
        : { change: null, reason };
    return { status: 200, body: { result, says, ...caughtUp } };
  },
});

export const signInRoutes: readonly Route[] = [report];

interface Who {
  readonly person: WhichPerson;
  readonly group: string | null;
}

interface Asked {
  readonly identity: IdentityAtIntake;
  readonly groups: readonly Group[];
  readonly source: string;
  readonly accountId: string;
}

async function whomToAsk(deps: Dependencies, caller: Caller, who: Who): Promise<Asked> {
  const identity = await findIdentity(deps.db, who.person);
  const { configuration, groups } = await reachedBy(deps, caller, who, identity);
  if (identity === null) throw new HttpProblem('identity_unknown');
  const { accounts } = identity;
  const plan = planChange({ groups, sources: sourcesOf(configuration), accounts });
  const auth = plan.find(({ role, leftOut }) => role === 'auth' && leftOut === null);
  if (!auth?.accountId) throw new HttpProblem('no_auth_account');
  return { identity, groups, source: auth.source, accountId: auth.accountId };
}

type Answer = Pick<z.output<typeof answerSchema>, 'result' | 'reason'>;

async function ask(
  deps: Dependencies,
  caller: Caller,
  { identity, source, accountId }: Asked,
  password: Secret,
  gone: AbortSignal,
): Promise<Answer> {
  const trouble = (await readSourceStates(deps.db)).get(source);
  if (trouble !== undefined && trouble.state !== 'up')
    return { result: 'unknown', reason: trouble.reason };
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
    requestedBy: `api-key:${caller.keyId}`,
  });
  if (closedForSeconds !== null)
    throw new HttpProblem('sign_in_closed', {}, { 'retry-after': String(closedForSeconds) });
  const finished = await waitForJob(deps, id, ANSWER_WITHIN_MS, gone);
  const answered = answerSchema.pick({ result: true, reason: true }).safeParse(finished?.result);
  return answered.success ? answered.data : { result: 'unknown', reason: null };
}

/**
 * A change from the auth account, which leaves alone what holds the password already. One that is under way may bring a newer
 * one, so nothing is begun beside it.
 */
async function catchUp(
  deps: Dependencies,
  caller: Caller,
  { person, group: wanted }: Who,
  { identity, groups, accountId }: Asked,
  password: Secret,
): Promise<Pick<z.output<typeof answerSchema>, 'change' | 'reason'>> {
  const names = groups.map(({ name }) => name);
  const all = { groups: names, source: null, identity: identity.name, limit: 1000, cursor: null };
  const underWay = await hasOpenChange(deps.db, identity.id);
  if (underWay || !shouldCatchUp(accountId, await readStale(deps, all)))
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
    const asked = { person, group: wanted, passwords, idempotencyKey: null, capture: null, proved };
    const taken = await acceptRequest(deps, caller, asked);
    return { change: taken.replayed ? taken.changeId : taken.change.id, reason: null };
  } catch (error) {
    // Somebody changed it meanwhile, so there is nothing to catch up; or it cannot be taken, and the sign-in was right.
    if (error instanceof CaptureDeclined) return { change: null, reason: null };
    if (error instanceof IntakeRejected) return { change: null, reason: error.code };
    throw error;
  }
}
