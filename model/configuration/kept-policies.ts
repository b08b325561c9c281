import type { ConfigurationIssue } from './document';
import { type Configuration, declaredGroupsOf } from './document';

/**
 * What `wanted` means when it follows `inForce`: a source that leaves every group keeps the policy that it had, unless it
 * names another one. So does one that had kept a policy before. Source: SailPoint, deleting a password sync group
 * (reference semantics §6.9).
 */
export function keepPolicies(inForce: Configuration, wanted: Configuration): Configuration {
  const policyBefore = (source: string): string | undefined =>
    declaredGroupsOf(inForce).find(({ sources }) => sources.includes(source))?.policy ??
    (Object.hasOwn(inForce.sources, source) ? inForce.sources[source]?.policy : undefined);
  const grouped = new Set(declaredGroupsOf(wanted).flatMap(({ sources }) => sources));
  const sources = Object.entries(wanted.sources).map(([name, source]) => {
    const kept = source.policy ?? (grouped.has(name) ? undefined : policyBefore(name));
    return [name, kept === undefined ? source : { ...source, policy: kept }] as const;
  });
  return { ...wanted, sources: Object.fromEntries(sources) };
}

/** A policy cannot go while a source keeps it. */
export const lostPolicyIssues = ({ sources, policies }: Configuration): ConfigurationIssue[] =>
  Object.entries(sources).flatMap(([name, { policy }]) =>
    policy === undefined || Object.hasOwn(policies, policy)
      ? []
      : [
          {
            path: ['sources', name],
            says: `keeps the policy "${policy}" of the group that it was in, but that policy is taken away; leave it, or give the source another with "policy:"`,
          },
        ],
  );
