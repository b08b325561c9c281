import { PULL_KIND } from '../../model/adapters/settings';
import type { GroupFit } from '../../model/api/configuration';
import { type Configuration, groupsOf, policiesOf } from '../../model/configuration/document';
import {
  type Satisfiability,
  satisfiability,
  type TargetPolicy,
} from '../../model/policy/target-policy';
import type { Database } from '../../store/database';
import { lastResults } from '../../store/sources/jobs';

/** Whether the policy of each group suits its sources, by the password rules that they reported in their last check. */
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
      policies: reportedIn(checks.get(source)),
    }));
    // An adapter reports no rules, so a check would not show them either.
    const unread = sources.filter(
      (source) => configuration.sources[source]?.kind !== PULL_KIND && !checks.has(source),
    );
    return [
      { group: name, policy: policyName, unread, ...listed(satisfiability(policy, members)) },
    ];
  });
}

/** The policies in the result of a check of a source; none when it was never checked. */
export const reportedIn = (result: unknown): readonly TargetPolicy[] =>
  (result as { readonly policies?: readonly TargetPolicy[] } | undefined)?.policies ?? [];

const listed = ({ impossible, notGuaranteed, warnings, fits }: Satisfiability) => ({
  impossible: [...impossible],
  notGuaranteed: [...notGuaranteed],
  warnings: [...warnings],
  fits,
});
