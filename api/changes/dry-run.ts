import { z } from 'zod';
import { connectorKinds } from '../../connectors/registry';
import { violationsOf } from '../../intake/accept';
import { reachedBy } from '../../intake/covered-groups';
import { findPerson } from '../../intake/find-person';
import { changePlanSchema, type PlannedAccount as PlannedView } from '../../model/api/change-plan';
import { authGoesLast } from '../../model/change/change';
import { leaveOutSays, type PlannedAccount, planChange } from '../../model/change/plan';
import { type Configuration, sourceNamed, sourcesOf } from '../../model/configuration/document';
import type { Group } from '../../model/configuration/group';
import { handedOver } from '../../model/configuration/hash-paths';
import { secretText } from '../http/input';
import { group, namedOnce, personFields, personIn } from '../http/person';
import { HttpProblem } from '../http/problem';
import { type Route, route, smallBody } from '../http/route';

/** Shows what a change would do. It contacts no source and stores nothing. */
export const planOfChange: Route = route({
  method: 'post',
  path: '/v1/changes/plan',
  scope: 'trigger',
  summary: 'See what a change would do',
  description:
    'Which accounts would be changed, in which order, which rule leaves out the others, and how each new password would be verified. If the request has a password, the policies check it and it is discarded.',
  body: smallBody(
    z
      .strictObject({ ...personFields, password: secretText.optional(), group })
      .refine(...namedOnce)
      .meta({ id: 'WantedPlan' }),
    { byName: { identity: 'alice' } },
  ),
  answers: { 200: { says: 'The plan. Nothing was changed.', schema: changePlanSchema } },
  problems: ['group_needed', 'no_group', 'identity_unknown', 'unsupported_character'],
  handle: async (deps, { caller, body }) => {
    const person = personIn(body);
    const identity = await findPerson(deps, person);
    const wanted = { person, group: body.group ?? null };
    const { configuration, groups } = await reachedBy(deps, caller, wanted, identity);
    if (identity === null) throw new HttpProblem('identity_unknown');
    const planned = planChange({
      groups,
      sources: sourcesOf(configuration),
      accounts: identity.accounts,
    });
    const violations =
      body.password === undefined
        ? null
        : await violationsOf(deps, configuration, groups, identity, body.password);
    return {
      status: 200,
      body: {
        identity: identity.name,
        groups: groups.map(groupView),
        accounts: planned.map((account) =>
          accountView(account, authGoesLast(planned), configuration),
        ),
        violations,
      },
    };
  },
});

const groupView = ({ name, policy, authSource, failureMode }: Group) => ({
  name,
  policy,
  authSource,
  failureMode,
});

function accountView(
  { label, source, accountName, role, leftOut }: PlannedAccount,
  authLast: boolean,
  configuration: Configuration,
): PlannedView {
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
