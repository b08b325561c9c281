import { sourceNamed } from '../../model/configuration/document';
import { decide, ENOUGH_TO_BE_AMBIGUOUS } from '../../model/people/correlation';
import { findIdentity, linkedName } from '../../store/people/identities';
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
  if ((await findIdentity(deps.db, { source, account: reported })) !== null) return reported;
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
  const found = decide(answer.accounts);
  if (found.found !== 'one') return reported;
  return (await linkedName(deps.db, source, found.account)) ?? reported;
}
