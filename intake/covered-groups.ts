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
 * @param identity null for somebody who is not there; that costs as much as somebody whom the caller may not change
 * @throws IntakeRejected
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
  /** Sources in which the person has a linked account; none for somebody who is not there. */
  readonly linkedSources: readonly string[];
  readonly person: WhichPerson;
  /** The group that the request names, if it does. */
  readonly group: string | null;
}

/**
 * The groups that this caller's new password covers. To a key that is bound to groups, people outside of them are
 * not there; and since a password is carried to every group of the auth source, the key must be good for all of
 * these.
 */
function reach(
  input: Reach,
): { readonly groups: readonly Group[] } | { readonly refused: ErrorCode } {
  const { configuration, caller, linkedSources, person } = input;
  const sources = sourcesOf(configuration);
  const groups = groupsOf(configuration);
  const wanted = input.group ?? loneGroupOf(person, groups);
  const bound = caller.groups;
  const seen = bound === null ? groups : groups.filter(({ name }) => bound.includes(name));
  const own = coverage({ groups: seen, sources, linkedSources, wanted });
  if (bound === null) return own;
  if ('refused' in own)
    return { refused: own.refused === 'no_group' ? 'identity_unknown' : own.refused };
  const all = coverage({ groups, sources, linkedSources, wanted: own.groups[0]?.name ?? null });
  if ('refused' in all) return all;
  const covered = { groups: all.groups.map(({ name }) => name) };
  return mayTouch(caller, covered) ? all : { refused: 'identity_unknown' };
}

/** Whoever names an account of a source on its own means that source. */
function loneGroupOf(person: WhichPerson, groups: readonly Group[]): string | null {
  if (!('source' in person)) return null;
  const name = loneGroupName(person.source);
  return groups.some((group) => group.name === name) ? name : null;
}
