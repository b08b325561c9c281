import { sourceNamed } from '../../model/configuration/document';
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
  const answer = await askSource(
    deps,
    source,
    configured,
    (connector) =>
      connector.find({ match: { [accountsBy]: reported }, limit: ENOUGH_TO_BE_AMBIGUOUS }),
    (result) => (result.result === 'failed' ? result : null),
  );
  if (answer.result === 'failed')
    throw Object.assign(new Error('The source could not look up the captured account'), {
      code: answer.reason,
    });
  const found = decideSearch(naming, { [accountsBy]: reported }, answer.accounts);
  if (found.found !== 'one') return reported;
  return (await findLink(deps.db, source, naming, found.account))?.name ?? reported;
}
