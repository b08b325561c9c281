import type { Connector, FoundAccount } from '../../connectors/contract';
import { stateAfter, waitMs } from '../../model/change/retry';
import type { SourceConfiguration } from '../../model/configuration/document';
import type { Reason } from '../../model/errors';
import {
  decideSearch,
  ENOUGH_TO_BE_AMBIGUOUS,
  isMatch,
  matchFor,
} from '../../model/people/correlation';
import type { AccountRules } from '../../model/people/naming';
import { linkAccount } from '../../store/people/links';
import { readPeopleLike } from '../../store/people/matching';
import { returnProbe } from '../../store/sources/state';
import type { Chosen } from '../../store/worker/chosen';
import {
  holdAccounts,
  noteFound,
  readUnfound,
  type UnfoundAccount,
} from '../../store/worker/claims';
import { type ChangeAtWork, type Settlement, settleAccounts } from '../../store/worker/outcomes';
import type { Dependencies } from '../dependencies';
import { recordSourceAnswer } from '../shared/record-source-answer';

interface CorrelatedSource {
  readonly name: string;
  readonly configuration: SourceConfiguration;
  readonly rules: AccountRules;
}

/**
 * Finds the chosen accounts that no link names yet, by the correlation rules of their source, and links them. Called by
 * `attemptAccounts` before it writes. An account that is not found is settled here.
 * @returns false when the source is down or paused; then every chosen account is set to wait
 */
export async function findUnlinkedAccounts(
  deps: Dependencies,
  change: ChangeAtWork,
  source: CorrelatedSource,
  chosen: Chosen,
  connector: Connector,
): Promise<boolean> {
  if (source.configuration.correlate.length === 0) return true;
  const lookedUp: string[] = [];
  for (;;) {
    const unlinked = await readUnfound(deps.db, change.id, chosen, lookedUp);
    if (unlinked.some(({ held }) => held)) {
      if (await holdAccounts(deps.db, change.id, chosen, lookedUp, deps.random())) return false;
      continue;
    }
    const settlements = await Promise.all(
      unlinked.map((account) => correlate(deps, change, account, source, connector)),
    );
    const settled = settlements.filter((settlement) => settlement !== null);
    if (settled.length > 0) await settleAccounts(deps.db, change, settled);
    if (unlinked.every(({ probe }) => probe === null)) return true;
    lookedUp.push(...unlinked.map(({ label }) => label));
  }
}

const succeeded = { reason: null, vendorCode: null, retryAfterMs: null };

/** @returns null when the account is found and linked, else the settlement of its outcome */
async function correlate(
  deps: Dependencies,
  change: ChangeAtWork,
  { label, attempts, unknowns, probe }: UnfoundAccount,
  source: CorrelatedSource,
  connector: Connector,
): Promise<Settlement | null> {
  const unwritten = {
    label,
    vendorCode: null,
    proof: 'none',
    inDoubt: false,
  } as const;
  const { rules } = source;
  const rejected = (reason: Reason): Settlement => ({
    ...unwritten,
    state: 'rejected',
    reason,
    nextTryInMs: null,
  });
  for (const rule of source.configuration.correlate) {
    const match = matchFor(rule, change.person);
    if (match === null) continue;
    const answer = await connector.find({ match, limit: ENOUGH_TO_BE_AMBIGUOUS });
    if (answer.result === 'failed') {
      const { reason, vendorCode, retryAfterMs = null } = answer;
      const state = stateAfter(reason, unknowns);
      const failed = { source: source.name, reason, vendorCode, retryAfterMs, probe };
      const wait =
        (await recordSourceAnswer(deps, failed)) ??
        waitMs(reason, attempts, retryAfterMs, deps.random());
      const nextTryInMs = state === 'waiting' ? wait : null;
      return { ...unwritten, state, reason, vendorCode, nextTryInMs, lookedUp: true };
    }
    await recordSourceAnswer(deps, { ...succeeded, source: source.name, probe });
    const found = decideSearch(rules.naming, match, answer.accounts);
    if (found.found === 'none') continue;
    if (found.found === 'several') return rejected('several_accounts');
    const refusal = await linkFound(deps, change, source, found.account, match);
    if (typeof refusal === 'string') return rejected(refusal);
    await noteFound(deps.db, change.id, label, { id: refusal.id, name: found.account.name });
    return null;
  }
  // No rule called the source, so the probe goes back for another account to use.
  if (probe !== null) await returnProbe(deps.db, source.name);
  return { ...unwritten, state: 'not_applicable', reason: 'no_account_found', nextTryInMs: null };
}

/**
 * Links the only account that matches a person, unless it matches another person, too, or is the service account.
 * @returns the id of the link, or why there is none
 */
async function linkFound(
  { db }: Dependencies,
  { identityId }: ChangeAtWork,
  { name: source, configuration, rules }: CorrelatedSource,
  { name, nativeId, attributes }: FoundAccount,
  match: Readonly<Record<string, string>>,
): Promise<{ readonly id: string } | 'service_account' | 'several_people'> {
  if (rules.isServiceAccount(name)) return 'service_account';
  // The source has compared the attributes that its answer does not contain.
  const values: Record<string, readonly string[]> = { ...attributes };
  for (const [attribute, value] of Object.entries(match)) values[attribute] ??= [value];
  const others = (await readPeopleLike(db, Object.values(values).flat())).filter(
    (person) =>
      person.id !== identityId &&
      configuration.correlate.some((rule) => isMatch(rules.naming, rule, person, values)),
  );
  if (others.length > 0) return 'several_people';
  const link = { source, name, nativeId, primary: false };
  const linked = await linkAccount(db, identityId, link, 'correlation', 'worker', rules);
  return 'conflict' in linked ? 'several_people' : linked;
}
