import { z } from 'zod';
import { connectorKinds } from '../../connectors/registry';
import { violationsOf } from '../../intake/accept';
import { reachedBy } from '../../intake/covered-groups';
import { changePlanSchema, type PlannedAccount as PlannedView } from '../../model/api/change-plan';
import { authGoesLast } from '../../model/change/change';
import { leaveOutSays, type PlannedAccount, planChange } from '../../model/change/plan';
import { type Configuration, sourceNamed, sourcesOf } from '../../model/configuration/document';
import type { Group } from '../../model/configuration/group';
import { handedOver } from '../../model/configuration/hash-paths';
import { findIdentity } from '../../store/people/identities';
import { secretText } from '../http/input';
import { HttpProblem } from '../http/problem';
import { type Route, route, smallBody } from '../http/route';
import { group, oneOfBoth, personIn, whoFields } from './who';

/** What a change would do, without one: no source is asked, and nothing is kept. */

export const planOfChange: Route = route({
  method: 'post',
  path: '/v1/changes/plan',
  scope: 'trigger',
  summary: 'See what a change would do',
  description:
    'Who would be touched, in which order, which rule leaves out the rest, and how each would be proved. A password may come along: the policies judge it, and it is forgotten.',
  body: smallBody(
    z
      .strictObject({ ...whoFields, password: secretText.optional(), group })
      .refine(...oneOfBoth)
      .meta({ id: 'WantedPlan' }),
    { byName: { identity: 'alice' } },
  ),
  answers: { 200: { says: 'Nothing was changed.', schema: changePlanSchema } },
  problems: ['group_needed', 'no_group', 'identity_unknown', 'unsupported_character'],
  handle: async (deps, { caller, body }) => {
    const person = personIn(body);
    const identity = await findIdentity(deps.db, person);
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
        accounts: planned.map((one) => accountView(one, authGoesLast(planned), configuration)),
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
    auth: authLast ? 'last, if every other one took it' : 'first; if it refuses, nothing else',
    member: authLast ? 'first, side by side' : 'after the auth account, side by side',
  })[role];
