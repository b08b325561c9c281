import type { GroupFit } from '../../model/api/configuration';
import { applicationFilters } from '../../model/configuration/account-filter';
import { type Configuration, groupsOf, policiesOf } from '../../model/configuration/document';
import type { Group, Policy } from '../../model/configuration/group';
import {
  type Member,
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
  return groupsOf(configuration).flatMap((group) => {
    const policy = policies.get(group.policy);
    return policy === undefined ? [] : [fitOf(group, policy, configuration, checks).fit];
  });
}

/** Whether a policy suits the sources of a group, and these with their filters and the policies that they reported. */
export function fitOf(
  { name, sources }: Group,
  policy: Policy,
  configuration: Configuration,
  checks: ReadonlyMap<string, unknown>,
): { readonly fit: GroupFit; readonly members: readonly Member[] } {
  const members = sources.flatMap((source) => {
    const policies = reportedIn(checks.get(source));
    const filter = configuration.sources[source]?.passwordFilter ?? null;
    return [
      { source, filter, policies },
      ...applicationFilters(configuration, source).map(({ application, filter: own }) => ({
        ...{ source: `${source} (${application})`, filter: own, policies },
      })),
    ];
  });
  const unread = sources.filter((source) => !checks.has(source));
  return {
    fit: { group: name, policy: policy.name, unread, ...listed(satisfiability(policy, members)) },
    members,
  };
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
