import { z } from 'zod';
import { type Configuration, groupsOf, policiesOf } from '../../model/configuration/document';
import {
  type Satisfiability,
  satisfiability,
  type TargetPolicy,
} from '../../model/policy/target-policy';
import type { Database } from '../../store/database';
import { lastResults } from '../../store/sources/jobs';

const sentences = z.array(z.string());

export const groupFitSchema = z.object({
  group: z.string(),
  policy: z.string(),
  impossible: sentences.describe('What no password can satisfy together.'),
  notGuaranteed: sentences.describe(
    'What a source may refuse although the policy of the group accepts it.',
  ),
  warnings: sentences.describe('Filters that leave a weaker password.'),
  fits: z.string().nullable().describe('Passwords that every source takes; null: there are none.'),
  unread: sentences.describe('Sources that "lockstep doctor" has not looked at yet.'),
});

export type GroupFit = z.output<typeof groupFitSchema>;

/** Whether the policy of each group suits its sources, by what these told when they were last checked. */
export async function fitOfGroups(
  db: Database,
  configuration: Configuration,
): Promise<readonly GroupFit[]> {
  const checks = await lastResults(db, 'check');
  const policies = new Map(policiesOf(configuration).map((policy) => [policy.name, policy]));
  return groupsOf(configuration).flatMap(({ name, policy: policyName, sources }) => {
    const policy = policies.get(policyName);
    if (policy === undefined) return [];
    const members = sources.map((source) => ({
      source,
      filter: configuration.sources[source]?.passwordFilter ?? null,
      policies: toldBy(checks.get(source)),
    }));
    const unread = sources.filter((source) => !checks.has(source));
    return [
      { group: name, policy: policyName, unread, ...listed(satisfiability(policy, members)) },
    ];
  });
}

const toldBy = (result: unknown): readonly TargetPolicy[] =>
  (result as { readonly policies?: readonly TargetPolicy[] } | undefined)?.policies ?? [];

const listed = ({ impossible, notGuaranteed, warnings, fits }: Satisfiability) => ({
  impossible: [...impossible],
  notGuaranteed: [...notGuaranteed],
  warnings: [...warnings],
  fits,
});
