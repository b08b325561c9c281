import type { Connector, StateAnswer } from '../../connectors/contract';
import { sourceNamed } from '../../model/configuration/document';
import { asks } from '../../model/configuration/isolation';
import { isNews, isNoted } from '../../model/people/links';
import { isSameName, type NamedAccount, type Naming } from '../../model/people/naming';
import { learnAccount, noteProblem } from '../../store/people/links';
import type { Origin } from '../../store/worker/outcomes';
import type { Dependencies } from '../dependencies';
import type { LoadedChange } from './load-change';

/**
 * Whether the account of a capture is still the linked one. A capture names its account, and the name may have passed to
 * an account of another person since Lockstep last read the source: its password would reach the accounts of the former
 * owner. So the source is asked, with one read, before the change of a capture is planned. Called by
 * `changeAuthAccount`.
 * @returns false when another account has the name. True also when the source cannot answer, because a capture must not
 *   wait for that; an account that was missing at the last read is then not confirmed.
 */
export async function isOriginConfirmed(
  deps: Dependencies,
  { change: { origin, unavailableSources }, configuration }: LoadedChange,
): Promise<boolean> {
  if (origin === null) return true;
  const unread = origin.problem === null;
  const configured = sourceNamed(configuration, origin.source);
  if (configured?.enabled !== true || !asks(deps.boundTo, origin.source, configured)) return unread;
  // A source that is down or paused is asked by the passes over it only.
  if (unavailableSources.includes(origin.source)) return unread;
  const { naming } = deps.accountRules(configured);
  const connector = await deps.connector(origin.source, configured);
  const answer = await stateOf(connector, origin);
  if (answer === null) return unread;
  if (answer.result === 'failed') {
    if (!isNoted(answer.reason)) return unread;
    await noteProblem(deps.db, [origin.id], answer.reason);
    return answer.reason === 'no_account' && unread;
  }
  return isSameAccount(deps, connector, naming, origin, answer.account);
}

/** A connector that throws is faulty; the attempt at the account logs that. */
const stateOf = (connector: Connector, account: NamedAccount): Promise<StateAnswer | null> =>
  connector.state({ account }).catch(() => null);

async function isSameAccount(
  { db }: Dependencies,
  connector: Connector,
  naming: Naming,
  origin: Origin,
  shown: NamedAccount,
): Promise<boolean> {
  const renamed = !isSameName(naming, shown.name, origin.name);
  // The account may have been renamed after the capture, and then no other account has its former name.
  const heir = renamed ? await stateOf(connector, { name: origin.name, nativeId: null }) : null;
  if (isNews(origin, shown) && (await learnAccount(db, origin.id, shown, naming)) !== 'learnt')
    return false;
  return heir?.result !== 'state';
}
