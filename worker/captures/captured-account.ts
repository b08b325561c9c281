import type { FoundAccount } from '../../connectors/contract';
import { type SourceConfiguration, sourceNamed } from '../../model/configuration/document';
import { decideSearch, ENOUGH_TO_BE_AMBIGUOUS } from '../../model/people/correlation';
import { findLink } from '../../store/people/links';
import { type AskDependencies, askSource } from './ask-source';

/**
 * Finds the name under which Lockstep knows a captured account. The relay may report only one attribute of the
 * account: Windows gives a notification package nothing but `sAMAccountName`. In that case the source is asked which
 * account has it.
 * @param reported the name or attribute that the relay reported
 * @returns the linked name; `reported` when no linked account, or more than one account, matches
 * @throws NotYet while the source is down or paused; Error when the source answers with another failure
 */
export async function capturedAccount(
  deps: AskDependencies,
  source: string,
  reported: string,
): Promise<string> {
  const configured = sourceNamed((await deps.configuration()).configuration, source);
  const { enabled = false, accountsBy } = configured?.capture ?? {};
  if (configured?.enabled !== true || !enabled || accountsBy === undefined) return reported;
  const { naming } = deps.accountRules(configured);
  const named = { name: reported, nativeId: null };
  if ((await findLink(deps.db, source, naming, named)) !== null) return reported;
  const found = await searchFor(deps, source, configured, accountsBy, reported);
  if (found === null) return reported;
  return (await findLink(deps.db, source, naming, found))?.name ?? reported;
}

/**
 * Finds the name in its source of a captured account that is not linked.
 * @returns `reported` when the source looks no accounts up, or finds no account, or more than one
 * @throws NotYet while the source is down or paused; Error when the source answers with another failure
 */
export async function nameInSource(
  deps: AskDependencies,
  source: string,
  reported: string,
): Promise<string> {
  const configured = sourceNamed((await deps.configuration()).configuration, source);
  const accountsBy = configured?.capture?.accountsBy;
  if (configured === undefined || accountsBy === undefined) return reported;
  return (await searchFor(deps, source, configured, accountsBy, reported))?.name ?? reported;
}

/** The only account of the source whose attribute `accountsBy` has this value; null when there is no such account. */
async function searchFor(
  deps: AskDependencies,
  source: string,
  configured: SourceConfiguration,
  accountsBy: string,
  value: string,
): Promise<FoundAccount | null> {
  const { naming } = deps.accountRules(configured);
  const answer = await askSource(
    deps,
    source,
    configured,
    (connector) =>
      connector.find({ match: { [accountsBy]: value }, limit: ENOUGH_TO_BE_AMBIGUOUS }),
    (result) => (result.result === 'failed' ? result : null),
  );
  if (answer.result === 'failed')
    throw Object.assign(new Error('The source could not look up the captured account'), {
      code: answer.reason,
    });
  const found = decideSearch(naming, { [accountsBy]: value }, answer.accounts);
  return found.found === 'one' ? found.account : null;
}
