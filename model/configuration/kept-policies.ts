import type { ConfigurationIssue } from './document';
import { type Configuration, declaredGroupsOf } from './document';

/**
 * Completes a configuration that replaces the one in force: a source that leaves its group keeps the policy of that
 * group, unless it names another policy; a source that kept a policy before still keeps it. Source: SailPoint, deleting
 * a password sync group (reference semantics §6.9).
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

/** The issues of sources that keep a policy which the configuration no longer has. */
export const lostPolicyIssues = ({ sources, policies }: Configuration): ConfigurationIssue[] =>
  Object.entries(sources).flatMap(([name, { policy }]) =>
    policy === undefined || Object.hasOwn(policies, policy)
      ? []
      : [
          {
            path: ['sources', name],
            says: `keeps the policy "${policy}" of its former group, but the configuration removes that policy; keep the policy, or give the source another one with "policy:"`,
          },
        ],
  );
