import { sourceNamed } from '../../model/configuration/document';
import { decide } from '../../model/people/correlation';
import { findIdentity, linkedName } from '../../store/people/identities';
import { type AskDependencies, askSource } from './ask-source';

/** Two are as bad as many. */
const ENOUGH_TO_REFUSE = 2;

/**
 * The name by which Lockstep knows the account that was captured. Whoever captures may know no more of it than one of its
 * attributes, as Windows tells a notification package nothing but `sAMAccountName`; then the source is asked whose that is.
 * @returns the name as it was told where nobody, or more than one, is called so: it belongs to nobody then
 * @throws NotYet while the source is in trouble; Error when it cannot say
 */
export async function capturedAccount(
  deps: AskDependencies,
  source: string,
  told: string,
): Promise<string> {
  const configured = sourceNamed((await deps.configuration()).configuration, source);
  const { enabled = false, accountsBy } = configured?.capture ?? {};
  if (configured?.enabled !== true || !enabled || accountsBy === undefined) return told;
  if ((await findIdentity(deps.db, { source, account: told })) !== null) return told;
  const answer = await askSource(
    deps,
    source,
    configured,
    (connector) => connector.find({ match: { [accountsBy]: told }, limit: ENOUGH_TO_REFUSE }),
    (one) => (one.result === 'failed' ? one : null),
  );
  if (answer.result === 'failed')
    throw Object.assign(new Error('the source cannot say whose account it is'), {
      code: answer.reason,
    });
  const found = decide(answer.accounts);
  if (found.found !== 'one') return told;
  return (await linkedName(deps.db, source, found.account)) ?? told;
}
