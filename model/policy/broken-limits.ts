import { withCodePoints } from '../passwords/code-points';
import type { Secret } from '../passwords/secret';
import { limitsBroken, MOST_LISTED, type SourcePolicy, targetLimits } from './target-limits';

/**
 * Sentences about the limits of a source that this password breaks. They never show more of the password than that it
 * breaks them.
 * @param password as the source would get it, after its filter
 */
export const brokenLimits = (
  source: string,
  policies: readonly SourcePolicy[],
  password: Secret,
): string[] =>
  withCodePoints(password, (points) =>
    policies.slice(0, MOST_LISTED).flatMap((policy) => {
      const says = limitsBroken(policy, points)
        .map((name) => targetLimits[name].says(policy))
        .filter((text) => text !== false);
      const may =
        policies.length > 1 ? 'if that policy applies to the account' : 'so the source refuses it';
      return says.length === 0
        ? []
        : [
            `${policy.name} of "${source}" ${says.join(', ')}, and the password does not satisfy that, ${may}.`,
          ];
    }),
  );
