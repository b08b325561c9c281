import { coverage } from '../model/change/coverage';
import {
  type Configuration,
  groupsOf,
  loneGroupName,
  sourcesOf,
} from '../model/configuration/document';
import type { Group } from '../model/configuration/group';
import type { ErrorCode } from '../model/errors';
import { type Caller, mayTouch } from '../store/api-keys';
import type { AppliedConfiguration } from '../store/configuration/versions';
import type { IdentityAtIntake } from '../store/people/identities';
import type { IntakeDependencies } from './dependencies';
import type { WhichPerson } from './person-reference';
import { IntakeRejected } from './rejected';

/**
 * The configuration in force, and the groups that a new password of this person covers, if the caller may change them.
 * @param identity null for an unknown person; the work is the same as for a person whom the caller may not change, so
 *   that the time of the answer does not show which people exist
 * @throws IntakeRejected when there is no such person for this caller, or no group to change
 */
export async function reachedBy(
  deps: IntakeDependencies,
  caller: Caller,
  who: { readonly person: WhichPerson; readonly group: string | null },
  identity: IdentityAtIntake | null,
): Promise<AppliedConfiguration & { readonly groups: readonly Group[] }> {
  const applied = await deps.configuration(identity?.configurationVersion ?? 0);
  const linkedSources = (identity?.accounts ?? []).map(({ source }) => source);
  const reached = reach({ ...applied, caller, linkedSources, ...who });
  if (identity === null) throw new IntakeRejected('identity_unknown');
  if ('refused' in reached) throw new IntakeRejected(reached.refused);
  return { ...applied, groups: reached.groups };
}

interface Reach {
  readonly configuration: Configuration;
  readonly caller: Caller;
  /** Sources in which the person has a linked account; empty for an unknown person. */
  readonly linkedSources: readonly string[];
  readonly person: WhichPerson;
  /** The group that the request names; null when it names none. */
  readonly group: string | null;
}

/**
 * The groups that a new password from this caller covers. For a key that is bound to groups, people outside these
 * groups do not exist. A password is carried to every group of the auth source, so the key must be allowed for all of
 * them.
 */
function reach(
  input: Reach,
): { readonly groups: readonly Group[] } | { readonly refused: ErrorCode } {
  const { configuration, caller, linkedSources, person } = input;
  const sources = sourcesOf(configuration);
  const groups = groupsOf(configuration);
  const wanted = input.group ?? loneGroupOf(person, groups);
  const bound = caller.groups;
  const visible = bound === null ? groups : groups.filter(({ name }) => bound.includes(name));
  // Correlation may find an account of anyone, so it would show a bound key who exists.
  const linkedOnly = sources.map((source) => ({ ...source, correlates: false }));
  const allowed = coverage({
    groups: visible,
    sources: bound === null ? sources : linkedOnly,
    linkedSources,
    wanted,
  });
  if (bound === null) return allowed;
  if ('refused' in allowed)
    return { refused: allowed.refused === 'no_group' ? 'identity_unknown' : allowed.refused };
  const all = coverage({ groups, sources, linkedSources, wanted: allowed.groups[0]?.name ?? null });
  if ('refused' in all) return all;
  const covered = { groups: all.groups.map(({ name }) => name) };
  return mayTouch(caller, covered) ? all : { refused: 'identity_unknown' };
}

/** The implicit group of the source, when the request names an account of a source with a policy of its own. */
function loneGroupOf(person: WhichPerson, groups: readonly Group[]): string | null {
  if (!('source' in person)) return null;
  const name = loneGroupName(person.source);
  return groups.some((group) => group.name === name) ? name : null;
}
