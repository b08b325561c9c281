import type { Connector, FoundAccount } from '../../connectors/contract';
import {
  type CorrelationRule,
  decideSearch,
  ENOUGH_TO_BE_AMBIGUOUS,
  isMatch,
  matchFor,
} from '../../model/people/correlation';
import { isSameName, type Naming } from '../../model/people/naming';
import type { KnownPerson, SortedAccounts } from '../../model/people/refresh';

export type ToLink = SortedAccounts<FoundAccount, KnownPerson>['toLink'];

/** Number of searches at the same time. */
const SEARCHES_AT_ONCE = 8;

/**
 * The matches that a search of the source confirms. An account that could not be read may match the same person, and
 * only the source can know.
 */
export async function confirmedMatches(
  connector: Connector,
  correlate: readonly CorrelationRule[],
  naming: Naming,
  candidates: ToLink,
): Promise<ToLink> {
  const isOnlyMatch = async ({ person, account }: ToLink[number]): Promise<boolean> => {
    const rule = correlate.find((one) => isMatch(naming, one, person, account.attributes));
    const match = rule === undefined ? null : matchFor(rule, person);
    if (match === null) return false;
    const answer = await connector.find({ match, limit: ENOUGH_TO_BE_AMBIGUOUS });
    return (
      answer.result === 'found' &&
      decideSearch(naming, match, answer.accounts).found === 'one' &&
      answer.accounts.every(({ name }) => isSameName(naming, name, account.name))
    );
  };
  const found: ToLink[number][] = [];
  for (let at = 0; at < candidates.length; at += SEARCHES_AT_ONCE) {
    const batch = candidates.slice(at, at + SEARCHES_AT_ONCE);
    const isConfirmed = await Promise.all(batch.map(isOnlyMatch));
    found.push(...batch.filter((_, index) => isConfirmed[index]));
  }
  return found;
}
