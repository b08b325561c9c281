import type { Connector } from '../connectors/contract';
import { stateAfter, waitMs } from '../model/change/retry';
import type { SourceConfiguration } from '../model/configuration/document';
import { decide, matchFor } from '../model/people/correlation';
import { linkAccount } from '../store/people/identities';
import { returnProbe } from '../store/sources/state';
import { noteFound, type UnfoundAccount } from '../store/worker/claims';
import type { ChangeAtWork, Settlement } from '../store/worker/outcomes';
import { noteAnswer } from './circuit';
import type { Dependencies } from './dependencies';

/** Two are as bad as many. */
const ENOUGH_TO_REFUSE = 2;

const answered = { reason: null, vendorCode: null, retryAfterMs: null };

/**
 * Finds the account of the person in a source by its correlation rules, and links it.
 * @returns null when it is found and linked, else what becomes of the outcome
 */
export async function correlate(
  deps: Dependencies,
  change: ChangeAtWork,
  { label, attempts, unknowns, probe }: UnfoundAccount,
  source: { readonly name: string; readonly configuration: SourceConfiguration },
  connector: Connector,
): Promise<Settlement | null> {
  const unsettled = {
    label,
    vendorCode: null,
    proof: 'none',
    inDoubt: false,
  } as const;
  for (const rule of source.configuration.correlate) {
    const match = matchFor(rule, change.person);
    if (match === null) continue;
    const answer = await connector.find({ match, limit: ENOUGH_TO_REFUSE });
    if (answer.result === 'failed') {
      const { reason, vendorCode, retryAfterMs = null } = answer;
      const state = stateAfter(reason, unknowns);
      const seen = { source: source.name, reason, vendorCode, retryAfterMs, probe };
      const wait =
        (await noteAnswer(deps, seen)) ?? waitMs(reason, attempts, retryAfterMs, deps.random());
      const nextTryInMs = state === 'waiting' ? wait : null;
      return { ...unsettled, state, reason, vendorCode, nextTryInMs, lookedUp: true };
    }
    await noteAnswer(deps, { ...answered, source: source.name, probe });
    const found = decide(answer.accounts);
    if (found.found === 'none') continue;
    const several = {
      ...unsettled,
      state: 'rejected',
      reason: 'several_accounts',
      nextTryInMs: null,
    } as const;
    if (found.found === 'several') return several;
    const { name, nativeId } = found.account;
    const link = { source: source.name, name, nativeId, primary: false };
    const id = await linkAccount(deps.db, change.identityId, link, 'correlation', 'worker');
    // Somebody else has it: the rules match two people.
    if (id === null) return several;
    await noteFound(deps.db, change.id, label, { id, name });
    return null;
  }
  // Where no rule could be asked, the probe is for somebody else.
  if (probe !== null) await returnProbe(deps.db, source.name);
  return { ...unsettled, state: 'not_applicable', reason: 'no_account_found', nextTryInMs: null };
}
