import { z } from 'zod';
import { filteredSamplesSchema, groupPolicySchema } from '../../model/api/group-policy';
import { groupTitle } from '../../model/configuration/described';
import {
  type Configuration,
  groupsOf,
  policiesOf,
  sourceNamed,
} from '../../model/configuration/document';
import { zodIssues } from '../../model/configuration/field-issues';
import type { Group } from '../../model/configuration/group';
import { filterSamples, tryFilter } from '../../model/policy/filter-trial';
import { passwordFilterSchema, weakens } from '../../model/policy/password-filter';
import { policyPicture } from '../../model/policy/policy-picture';
import { presets } from '../../model/policy/presets';
import { lastResults } from '../../store/sources/jobs';
import type { Dependencies } from '../http/dependencies';
import { HttpProblem } from '../http/problem';
import { type Route, route, smallBody } from '../http/route';
import { groupName, sourceName } from '../http/schemas';
import { fitOf, reportedIn } from './fit';

/** The policy of a group as rules with examples, and filters tried on samples. Nothing here has to do with a real password. */

const read = route({
  method: 'get',
  path: '/v1/groups/{name}/policy',
  right: 'configure',
  summary: 'See the rules of a group with examples, and which source is the strictest',
  description:
    'The rules of the policy and the limits that the sources have shown in their last check. The examples are made and tried by the functions that enforce the rules.',
  params: z.strictObject({ name: groupName }),
  answers: { 200: { says: 'The rules.', schema: groupPolicySchema } },
  problems: ['not_found'],
  handle: async ({ db, configuration: inForce }, { params: { name } }) => {
    const { configuration } = await inForce();
    const group = groupsOf(configuration).find((one) => one.name === name);
    const policy = policiesOf(configuration).find((one) => one.name === group?.policy);
    if (group === undefined || policy === undefined) throw new HttpProblem('not_found');
    const checks = await lastResults(db, 'check');
    const { fit, members } = fitOf(group, policy, configuration, checks);
    const { rows, passes, alone } = policyPicture(policy, members);
    return {
      status: 200,
      body: {
        ...{ name, title: groupTitle(configuration, name), authSource: group.authSource },
        ...{ sources: [...group.sources], passes, alone: [...alone], fit },
        rows: rows.map((row) => ({ ...row, bounds: [...row.bounds] })),
        filters: filtersOf(group, configuration),
      },
    };
  },
});

const filtersOf = ({ sources }: Group, configuration: Configuration) =>
  sources.flatMap((source) => {
    const filter = sourceNamed(configuration, source)?.passwordFilter;
    return filter === undefined ? [] : [{ source, filter }];
  });

const MOST_SAMPLES = 20;

const tryOnSamples = route({
  method: 'post',
  path: '/v1/password-filters/try',
  right: 'configure',
  summary: 'Try a password filter on samples',
  description:
    'Rewrites samples by the function that rewrites passwords, and checks them against the limits that the source has shown. Send invented samples only, never the password of a person: the answer shows them.',
  body: smallBody(
    z.strictObject({
      filter: z.record(z.string(), z.unknown()).describe('A password filter, as in lockstep.yaml.'),
      source: sourceName.optional().describe('The source whose limits count.'),
      samples: z
        .array(z.string().max(200))
        .max(MOST_SAMPLES)
        .optional()
        .describe('Invented samples. Without them, Lockstep takes its own.'),
    }),
    { mainframe: { filter: { case: 'upper', allowed: 'A-Z0-9', maxLength: 8 } } },
  ),
  answers: { 200: { says: 'What the source would get.', schema: filteredSamplesSchema } },
  problems: ['configuration_invalid'],
  handle: async (deps, { body: { filter: given, source, samples = filterSamples } }) => {
    const parsed = passwordFilterSchema.safeParse(given);
    if (!parsed.success)
      throw new HttpProblem('configuration_invalid', {
        issues: zodIssues(parsed.error.issues, ['passwordFilter']),
      });
    const policies = source === undefined ? [] : await limitsOf(deps, source);
    const tried = tryFilter(parsed.data, samples, policies);
    return {
      status: 200,
      body: {
        samples: tried.map((one) => ({ ...one, broken: [...one.broken] })),
        weakens: weakens(parsed.data, await rulesFor(deps, source)),
      },
    };
  },
});

const limitsOf = async ({ db }: Dependencies, source: string) =>
  reportedIn((await lastResults(db, 'check')).get(source));

/** The rules of the group of the source; the default ones while it is in none. */
async function rulesFor({ configuration: inForce }: Dependencies, source: string | undefined) {
  const { configuration } = await inForce();
  const group = groupsOf(configuration).find(({ sources }) => sources.includes(source ?? ''));
  const policy = policiesOf(configuration).find(({ name }) => name === group?.policy);
  return policy?.rules ?? presets['nist-63b-4'];
}

export const groupPolicyRoutes: readonly Route[] = [read, tryOnSamples];
