import { z } from 'zod';
import { violationsOf } from '../../intake/accept';
import { passwordCheckSchema, passwordRulesSchema } from '../../model/api/password-rules';
import { describedSource, groupTitle } from '../../model/configuration/described';
import { type Configuration, groupsOf, policiesOf } from '../../model/configuration/document';
import type { Group } from '../../model/configuration/group';
import { normalized } from '../../model/passwords/normalize';
import type { Caller } from '../../store/api-keys';
import { lastResults } from '../../store/sources/jobs';
import { reportedIn } from '../configuration/fit';
import { secretText } from '../http/input';
import { group } from '../http/person';
import { HttpProblem } from '../http/problem';
import { type Route, route, smallBody } from '../http/route';

const visibleGroups = (configuration: Configuration, { groups }: Caller): Group[] =>
  groupsOf(configuration).filter(({ name }) => groups === null || groups.includes(name));

const read = route({
  method: 'get',
  path: '/v1/password-rules',
  right: 'change-own',
  summary: 'Read what a new password must satisfy',
  description:
    'The rules of the policy of each group, and the limits that its sources have shown in their last check. They name no person.',
  answers: { 200: { says: 'The groups that the key may change.', schema: passwordRulesSchema } },
  handle: async (deps, { caller }) => {
    const { configuration } = await deps.configuration();
    const checks = await lastResults(deps.db, 'check');
    const policies = new Map(policiesOf(configuration).map(({ name, rules }) => [name, rules]));
    const groups = visibleGroups(configuration, caller).flatMap(
      ({ name, authSource, policy, sources }) => {
        const found = policies.get(policy);
        if (found === undefined) return [];
        const { dictionary, blocklist, ...rules } = found;
        const hasLists = dictionary !== null || blocklist !== null || rules.minStrength > 0;
        return [
          {
            ...{ name, authSource, rules, hasLists },
            title: groupTitle(configuration, name),
            sources: sources.map((source) => ({
              source,
              ...describedSource(configuration, source),
              policies: [...reportedIn(checks.get(source))],
            })),
          },
        ];
      },
    );
    return { status: 200, body: { groups } };
  },
});

const check = route({
  method: 'post',
  path: '/v1/password-checks',
  right: 'change-own',
  summary: 'Check a new password against the policies, before it is submitted',
  description:
    'For the rules that a page cannot check itself, such as a list of leaked passwords. The password is discarded. Rules about the person are checked when the change is requested.',
  body: smallBody(z.strictObject({ password: secretText, group }), {
    one: { password: 'correct horse battery staple', group: 'one-password' },
  }),
  answers: { 200: { says: 'The rules that the password breaks.', schema: passwordCheckSchema } },
  problems: ['no_group', 'policy_file_unreadable', 'unsupported_character'],
  handle: async (deps, { caller, body }) => {
    const { configuration } = await deps.configuration();
    const groups = visibleGroups(configuration, caller).filter(
      ({ name }) => body.group === undefined || name === body.group,
    );
    if (groups.length === 0) throw new HttpProblem('no_group');
    const password = normalized(body.password);
    try {
      const person = { name: '', attributes: {}, accounts: [] };
      return {
        status: 200,
        body: { violations: await violationsOf(deps, configuration, groups, person, password) },
      };
    } finally {
      password.destroy();
    }
  },
});

export const passwordRuleRoutes: readonly Route[] = [read, check];
