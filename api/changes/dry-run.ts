import { z } from 'zod';
import { connectorKinds } from '../../connectors/registry';
import { violationsOf } from '../../intake/accept';
import { reachedBy } from '../../intake/covered-groups';
import { findPerson, rulesIn } from '../../intake/find-person';
import { changePlanSchema, type PlannedAccount as PlannedView } from '../../model/api/change-plan';
import type { GroupFit } from '../../model/api/configuration';
import type { SourceCheck } from '../../model/api/job-results';
import { hasRight } from '../../model/api/scopes';
import { hasMappingConflict } from '../../model/change/adapter-rules';
import { authGoesLast } from '../../model/change/change';
import {
  forecast,
  type KnownBefore,
  refusesPassword,
  wholeForecast,
} from '../../model/change/forecast';
import { leaveOutSays, type PlannedAccount, planChange } from '../../model/change/plan';
import { accountFilter } from '../../model/configuration/account-filter';
import {
  type Configuration,
  policiesOf,
  sourceNamed,
  sourcesOf,
} from '../../model/configuration/document';
import type { Group } from '../../model/configuration/group';
import { handedOver } from '../../model/configuration/hash-paths';
import { errors } from '../../model/errors';
import { normalized } from '../../model/passwords/normalize';
import type { Caller } from '../../store/api-keys';
import { readLastOutcomes } from '../../store/changes/last-outcomes';
import type { IdentityAtIntake } from '../../store/people/identities';
import { lastResults } from '../../store/sources/jobs';
import { readSourceStates } from '../../store/sources/state';
import { fitOfGroups, reportedIn } from '../configuration/fit';
import type { Dependencies } from '../http/dependencies';
import { secretText } from '../http/input';
import { group, namedOnce, namedOnceSchemas, personFields, personIn } from '../http/person';
import { HttpProblem } from '../http/problem';
import { type Route, route, smallBody } from '../http/route';

/** Shows what a change would do. It contacts no source and stores nothing. */
export const planOfChange: Route = route({
  method: 'post',
  path: '/v1/changes/plan',
  right: 'change',
  summary: 'See what a change would do',
  description:
    'Which accounts would be changed, in which order, which rule leaves out the others, and how each new password would be verified. If the request has a password, the policies check it and it is discarded. Warnings say what Lockstep knows that would make a source refuse the password, an account wait, or a link fail.',
  body: smallBody(
    z
      .strictObject({ ...personFields, password: secretText.optional(), group })
      .refine(...namedOnce)
      .meta({ id: 'WantedPlan', oneOf: namedOnceSchemas }),
    { byName: { identity: 'alice' } },
  ),
  answers: { 200: { says: 'The plan. Nothing was changed.', schema: changePlanSchema } },
  problems: ['group_needed', 'no_group', 'identity_unknown', 'unsupported_character'],
  handle: async (deps, { caller, body }) => {
    const person = personIn(body);
    const identity = await findPerson(deps, caller, person);
    const wanted = { person, group: body.group ?? null };
    const { configuration, groups } = await reachedBy(deps, caller, wanted, identity);
    if (identity === null) throw new HttpProblem('identity_unknown');
    const input = { groups, sources: sourcesOf(configuration), accounts: identity.accounts };
    const planned = planChange(input);
    // The policy checks the password that a change would write.
    const password = body.password === undefined ? null : normalized(body.password);
    const fit = await fitOfGroups(deps.db, configuration);
    try {
      const knownOf = await knowledge(deps, caller, configuration, groups, identity);
      const accounts = planned.map((account) => ({
        ...accountView(account, authGoesLast(planned), configuration),
        warnings: account.leftOut === null ? forecast(knownOf(account), password) : [],
        refusesPassword:
          account.leftOut === null &&
          password !== null &&
          refusesPassword(knownOf(account), password),
      }));
      const violations =
        password === null
          ? null
          : await violationsOf(deps, configuration, groups, identity, password);
      return {
        status: 200,
        body: {
          identity: identity.name,
          groups: groups.map((one) => groupView(one, fit)),
          accounts,
          warnings: [
            ...wholeForecast(planned),
            ...(hasMappingConflict(input) ? [errors.mapping_conflict.says] : []),
          ],
          violations,
        },
      };
    } finally {
      password?.destroy();
    }
  },
});

/** Reads what Lockstep knows about the accounts of a person before a change. */
async function knowledge(
  { db }: Dependencies,
  caller: Caller,
  configuration: Configuration,
  groups: readonly Group[],
  { id, accounts }: IdentityAtIntake,
): Promise<(account: PlannedAccount) => KnownBefore> {
  const [states, checks, last] = await Promise.all([
    readSourceStates(db),
    lastResults(db, 'check'),
    readLastOutcomes(db, id),
  ]);
  const names = groups.map(({ policy }) => policy);
  const groupPolicies = policiesOf(configuration).filter(({ name }) => names.includes(name));
  return ({ source, accountId, accountName }) => ({
    source,
    problem: rulesIn(configuration, source).isServiceAccount(accountName ?? '')
      ? 'service_account'
      : (accounts.find((account) => account.id === accountId)?.problem ?? null),
    groupPolicies,
    state: states.get(source) ?? { state: 'up' },
    findings: (checks.get(source) as SourceCheck | undefined)?.findings ?? [],
    showsFindings: hasRight(caller.scopes, 'operate'),
    policies: reportedIn(checks.get(source)),
    filter: accountFilter(
      configuration,
      source,
      accounts.find((account) => account.id === accountId)?.mappings,
    ),
    last: last.get(accountId ?? '') ?? null,
  });
}

const groupView = ({ name, policy, authSource, failureMode }: Group, fit: readonly GroupFit[]) => ({
  fits: fit.find(({ group }) => group === name)?.fits ?? null,
  name,
  policy,
  authSource,
  failureMode,
});

function accountView(
  { label, source, accountName, role, leftOut }: PlannedAccount,
  authLast: boolean,
  configuration: Configuration,
): Omit<PlannedView, 'warnings' | 'refusesPassword'> {
  const { kind = '', settings, prove = 'never' } = sourceNamed(configuration, source) ?? {};
  const traits = connectorKinds.get(kind)?.traitsOf(settings);
  const first = (role === 'auth') !== authLast;
  return {
    label,
    source,
    account: accountName,
    role,
    turn: leftOut !== null ? null : first ? 1 : 2,
    reason: leftOut,
    says: leftOut !== null ? leaveOutSays[leftOut] : changedSays(role, authLast),
    prove,
    proof: traits?.proof ?? 'none',
    form: traits === undefined ? null : handedOver('plaintext', traits.accepts),
  };
}

const changedSays = (role: PlannedAccount['role'], authLast: boolean): string =>
  ({
    auth: authLast
      ? 'changed last, if every other account took the password'
      : 'changed first; if it refuses, no other account is changed',
    member: authLast ? 'changed first, in parallel' : 'changed after the auth account, in parallel',
  })[role];
