import { type Stale, staleness, staleRules } from '../../model/change/stale';
import { groupsOf, sourceNamed } from '../../model/configuration/document';
import {
  readStaleCandidates,
  type StaleCandidate,
  type StaleFilter,
} from '../../store/changes/stale';
import type { Dependencies } from '../http/dependencies';

interface StaleQuery extends Omit<StaleFilter, 'sources'> {
  /** Null: every group. */
  readonly groups: readonly string[] | null;
  /** Null: every source of these groups. */
  readonly source: string | null;
}

/** An account that may be stale. `is` gives the reason; null if the account is not stale after all. */
export interface CheckedAccount extends StaleCandidate {
  readonly is: Stale | null;
}

/** The staleness of an account as the API returns it. */
export const staleHere = ({ changeId, withoutEffect }: CheckedAccount, why: Stale) => ({
  change: withoutEffect?.changeId ?? changeId,
  code: why.code,
  says: staleRules[why.code].says,
  cure: why.cure,
  reason: why.reason,
  since: why.since,
});

/** A page of accounts that may be stale, each with the reason, in the order of their ids. */
export async function readStale(
  deps: Dependencies,
  { groups, source, ...page }: StaleQuery,
): Promise<CheckedAccount[]> {
  const { configuration } = await deps.configuration();
  const sources = groupsOf(configuration)
    .filter(({ name }) => groups === null || groups.includes(name))
    .flatMap((group) => group.sources.map((name) => ({ name, group: group.name })))
    .filter(({ name }) => source === null || name === source);
  const accounts = await readStaleCandidates(deps.db, { ...page, sources });
  return accounts.map((account) => {
    const enabled = sourceNamed(configuration, account.source)?.enabled === true;
    return { ...account, is: staleness({ ...account, enabled }) };
  });
}
