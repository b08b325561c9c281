import { type Group, isLone, type Source } from '../configuration/group';
import type { ErrorCode } from '../errors';

interface CoverageInput {
  readonly groups: readonly Group[];
  readonly sources: readonly Source[];
  /** Sources in which the person has a linked account. */
  readonly linkedSources: readonly string[];
  /** The group that the request names; null when it names none. */
  readonly wanted: string | null;
}

export type Coverage =
  | { readonly groups: readonly Group[] }
  | { readonly refused: Extract<ErrorCode, 'no_group' | 'group_needed'> };

/**
 * The groups that one new password of a person covers: every group that shares one auth source and has an account of
 * the person, or may find one by correlation. When the password of the auth account changes, every group of its auth
 * source follows (seed 001, Authentication Accounts). A source with a policy of its own is covered only when the
 * request names it, or when the person is in no group.
 */
export function coverage(input: CoverageInput): Coverage {
  const { groups, wanted } = input;
  const holding = groups.filter((group) => group.sources.some((source) => mayHold(source, input)));
  if (wanted !== null) {
    const named = holding.find((group) => group.name === wanted);
    return named === undefined
      ? { refused: 'no_group' }
      : { groups: holding.filter((group) => group.authSource === named.authSource) };
  }
  const shared = holding.filter((group) => !isLone(group));
  const covered = shared.length === 0 ? holding : shared;
  if (covered.length === 0) return { refused: 'no_group' };
  const authSources = new Set(covered.map((group) => group.authSource));
  return authSources.size > 1 ? { refused: 'group_needed' } : { groups: covered };
}

const mayHold = (source: string, { sources, linkedSources }: CoverageInput): boolean =>
  linkedSources.includes(source) ||
  sources.some((candidate) => candidate.name === source && candidate.correlates);
