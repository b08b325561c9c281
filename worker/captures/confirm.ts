import { sourceNamed } from '../../model/configuration/document';
import type { Passwords } from '../../sealing/passwords';
import { findLink } from '../../store/people/links';
import type { SealedCaptureRow } from '../../store/worker/sealed-captures';
import { type AskDependencies, askSource, NotYet } from './ask-source';

/** A relay submits a candidate before its source has stored it. This is the time that the source gets to store it. */
const SETTLED_SECONDS = 2;

/**
 * Whether the source has stored a password that was only a candidate when it was captured. One login finds out.
 * @returns also true when the source does not confirm captures, or the account is not linked
 * @throws NotYet while the source is down or paused, or may not have stored the password yet; later captures of the
 *   same relay wait as well
 */
export async function isConfirmed(
  deps: AskDependencies,
  { source, heldMs }: SealedCaptureRow,
  account: string,
  { next: password, form }: Passwords,
): Promise<boolean> {
  const configured = sourceNamed((await deps.configuration()).configuration, source);
  if (configured?.capture?.confirm !== true) return true;
  const { naming } = deps.accountRules(configured);
  const linked = await findLink(deps.db, source, naming, { name: account, nativeId: null });
  if (linked === null) return true;
  const unsettledSeconds = SETTLED_SECONDS - heldMs / 1000;
  if (unsettledSeconds > 0) throw new NotYet(unsettledSeconds);
  const answer = await askSource(
    deps,
    source,
    configured,
    (connector) => connector.verify({ account: linked, password, form }),
    (result) => (result.result === 'inconclusive' ? result : null),
  );
  return answer.result === 'holds';
}
