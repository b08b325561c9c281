import type { Caller } from '../../store/api-keys';
import {
  type AccountView,
  findIdentity,
  type IdentityAtIntake,
  storedName,
} from '../../store/people/identities';
import { type CheckedAccount, readStale } from '../changes/read-stale';
import type { Dependencies } from '../http/dependencies';
import { HttpProblem } from '../http/problem';
import { visibleSources } from '../sources/visible';

/** Whether the caller may see the accounts of a source. */
export type SeesSource = (source: string) => boolean;

/** The sources that a key bound to groups may see; null for a key that may see all. */
export async function sourcesOf({ configuration }: Dependencies, caller: Caller) {
  if (caller.groups === null) return null;
  return visibleSources((await configuration()).configuration, caller);
}

export const seesIn =
  (sources: readonly string[] | null): SeesSource =>
  (source) =>
    sources?.includes(source) ?? true;

/** A person as a caller may see them: the accounts that the caller sees, and which of them are stale, by account id. */
interface VisiblePerson {
  readonly identity: IdentityAtIntake;
  readonly accounts: readonly AccountView[];
  readonly stale: ReadonlyMap<string, CheckedAccount>;
  readonly sees: SeesSource;
}

/** @throws HttpProblem if there is no such person, or the caller may see none of the accounts */
export async function readPerson(
  deps: Dependencies,
  caller: Caller,
  given: string,
): Promise<VisiblePerson> {
  const name = await storedName(deps.db, given);
  const { groups } = caller;
  const sees = seesIn(await sourcesOf(deps, caller));
  const identity = await findIdentity(deps.db, { name });
  const isVisible = groups === null || identity?.accounts.some(({ source }) => sees(source));
  if (identity === null || !isVisible) throw new HttpProblem('not_found');
  const everyAccount = {
    source: null,
    identity: name,
    cursor: null,
    limit: identity.accounts.length,
  };
  const stale = new Map(
    (await readStale(deps, { ...everyAccount, groups })).map((one) => [one.id, one]),
  );
  const accounts = identity.accounts.filter(({ source }) => sees(source));
  return { identity, accounts, stale, sees };
}
