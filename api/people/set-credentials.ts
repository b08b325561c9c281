import { z } from 'zod';
import { connectorKinds } from '../../connectors/registry';
import { findPerson, rulesIn } from '../../intake/find-person';
import { errorCodeOrNull, keysOf } from '../../model/api/fields';
import { hasRight, scopesWith } from '../../model/api/scopes';
import { credentialSetSchema } from '../../model/api/set-credentials';
import {
  applicationNamed,
  type Configuration,
  sourceNamed,
} from '../../model/configuration/document';
import type { Secret } from '../../model/passwords/secret';
import { isSameName } from '../../model/people/naming';
import { credentialProofs, isVerifiable } from '../../model/people/set-credentials';
import { inPlaintext, seal } from '../../sealing/passwords';
import type { Caller } from '../../store/api-keys';
import { requestSignIn } from '../../store/captures/sign-ins';
import { newId } from '../../store/ids';
import { type OwnMapping, readOwnMappings } from '../../store/people/listing';
import { finishJob, readJob } from '../../store/sources/jobs';
import { readSourceStates } from '../../store/sources/state';
import { actorOf } from '../http/actor';
import type { Dependencies } from '../http/dependencies';
import { secretText } from '../http/input';
import { HttpProblem } from '../http/problem';
import { type Route, route, smallBody } from '../http/route';
import { accountName, personName, sourceName } from '../http/schemas';
import { waitForJob } from '../sources/wait-for-job';
import { seesIn, sourcesOf } from './read-person';

/** A worker begins the login within this time; afterwards the sealed password is gone. */
const BEGIN_WITHIN_MS = 10_000;
/** The longest that the caller waits for the login. */
const ANSWER_WITHIN_MS = 15_000;

const set = route({
  method: 'post',
  path: '/v1/mappings/set-credentials',
  right: 'set-credentials',
  summary: 'Store the credential of a mapping',
  description:
    'A worker verifies the password at the account by one login, and stores it only if it is right. A source that cannot verify passwords needs a key with the scope configure. After one wrong password, Lockstep does not try the account for 15 minutes, after two in a row for a day. A change that is newer is never overwritten.',
  body: smallBody(
    z
      .strictObject({
        identity: personName,
        application: sourceName,
        account: accountName
          .optional()
          .describe('Required if the person has several mappings of the application.'),
        password: secretText,
      })
      .meta({ id: 'NewCredential' }),
    {
      alice: {
        identity: 'alice',
        application: 'reports',
        password: 'correct horse battery staple',
      },
    },
  ),
  answers: { 200: { says: 'The credential is stored.', schema: credentialSetSchema } },
  problems: [
    'not_found',
    'credential_wrong',
    'credential_not_verified',
    'credential_outdated',
    'sign_in_closed',
    'no_epoch',
  ],
  handle: async (deps, { caller, body: { password, ...wanted }, gone }) => {
    const target = await targetOf(deps, caller, wanted);
    const proof = await carriedOut(deps, caller, target, password, gone);
    const { mapping, identity } = target;
    const { application, source, account, enabled } = mapping;
    return {
      status: 200,
      body: { identity: identity.name, application, source, account, proof, enabled },
    };
  },
});

export const credentialRoutes: readonly Route[] = [set];

interface Target {
  readonly identity: { readonly id: string; readonly name: string; readonly now: Date };
  readonly mapping: OwnMapping;
  /** How a worker verifies the password before it is stored. */
  readonly verify: 'login' | 'none';
}

/** @throws HttpProblem unless exactly one mapping is meant that the caller may set */
async function targetOf(
  deps: Dependencies,
  caller: Caller,
  wanted: {
    readonly identity: string;
    readonly application: string;
    readonly account?: string | undefined;
  },
): Promise<Target> {
  const { configuration } = await deps.configuration();
  const identity = await findPerson(deps, caller, { name: wanted.identity });
  const sees = seesIn(await sourcesOf(deps, caller));
  const all = identity === null ? [] : await readOwnMappings(deps.db, identity.id);
  const [mapping, another] = all.filter(
    ({ application, source, account }) =>
      application === wanted.application &&
      sees(source) &&
      isNamed(configuration, source, account, wanted.account),
  );
  if (identity === null || mapping === undefined) throw new HttpProblem('not_found');
  if (another !== undefined)
    throw refused(
      'account',
      'is needed, because the person has several mappings of the application',
    );
  if (applicationNamed(configuration, wanted.application)?.enabled !== true)
    throw refused('application', 'is disabled or was removed, so its credentials stay as they are');
  return { identity, mapping, verify: verificationOf(configuration, caller, mapping.source) };
}

const refused = (member: string, says: string): HttpProblem =>
  new HttpProblem('request_invalid', { issues: [{ path: [member], says }] });

const isNamed = (
  configuration: Configuration,
  source: string,
  account: string,
  wanted: string | undefined,
): boolean =>
  wanted === undefined || isSameName(rulesIn(configuration, source).naming, account, wanted);

/** Whether a worker can verify a password of the source before it is stored. */
export function canVerify(configuration: Configuration, name: string): boolean {
  const source = sourceNamed(configuration, name);
  const proof = connectorKinds.get(source?.kind ?? '')?.traitsOf(source?.settings).proof ?? 'none';
  return source !== undefined && isVerifiable(source, proof);
}

/** Only an administrator may store a password that no one can verify. */
function verificationOf(
  configuration: Configuration,
  caller: Caller,
  name: string,
): 'login' | 'none' {
  if (canVerify(configuration, name)) return 'login';
  if (!hasRight(caller.scopes, 'configure'))
    throw new HttpProblem('forbidden', { scopes: scopesWith('configure') });
  return 'none';
}

const resultSchema = z.object({
  result: z.enum(keysOf({ stored: 0, differs: 0, unverified: 0, outdated: 0 })),
  proof: z.enum(credentialProofs).nullable(),
  reason: errorCodeOrNull,
});

/** Has a worker verify and store the password. @returns the proof. @throws HttpProblem if nothing was stored */
async function carriedOut(
  deps: Dependencies,
  caller: Caller,
  target: Target,
  password: Secret,
  gone: AbortSignal,
) {
  const state = (await readSourceStates(deps.db)).get(target.mapping.source);
  if (state !== undefined && state.state !== 'up')
    throw new HttpProblem('credential_not_verified', { reason: state.reason });
  const id = await request(deps, caller, target, password);
  const finished = await waitForJob(deps, id, ANSWER_WITHIN_MS, gone);
  // From here on a worker stores nothing, unless it has just done so.
  if (finished === null) await finishJob(deps.db, id, 'failed', { code: 'too_old' });
  const ended = finished ?? (await readJob(deps.db, id));
  const read = resultSchema.safeParse(ended?.result);
  if (!read.success) throw new HttpProblem('credential_not_verified', { reason: null });
  const { result, proof, reason } = read.data;
  if (result === 'stored' && proof !== null) return proof;
  if (result === 'differs') throw new HttpProblem('credential_wrong');
  if (result === 'outdated') throw new HttpProblem('credential_outdated');
  throw new HttpProblem('credential_not_verified', { reason });
}

/** Seals the password to the worker, and requests the job. */
async function request(
  deps: Dependencies,
  caller: Caller,
  { identity, mapping, verify }: Target,
  password: Secret,
): Promise<string> {
  const key = await deps.keyToSealTo(identity.now, false);
  if (key === null) throw new HttpProblem('no_epoch');
  const id = newId('job');
  const expiresAt = new Date(identity.now.getTime() + BEGIN_WITHIN_MS);
  const sealedFor = { changeId: id, identityId: identity.id, seq: 0, expiresAt };
  const { application } = mapping;
  const closedForSeconds = await requestSignIn(deps.db, {
    ...{ id, accountId: mapping.accountId, source: mapping.source, identityId: identity.id },
    ...{ epochId: key.epochId, expiresAt, requestedBy: actorOf(caller) },
    jwe: await seal(key, sealedFor, inPlaintext(password, null)),
    purpose: {
      kind: 'set-credentials',
      parameters: {
        ...{ mappingId: mapping.id, application, verify },
        setBy: caller.identityId === identity.id ? 'person' : 'administrator',
      },
      guarded: verify === 'login',
      blocked: {
        action: 'mapping.credential-refused',
        subject: mapping.id,
        detail: { application, reason: 'sign_in_closed' },
      },
    },
  });
  if (closedForSeconds !== null)
    throw new HttpProblem('sign_in_closed', {}, { 'retry-after': String(closedForSeconds) });
  return id;
}
