import { sourceNamed } from '../../model/configuration/document';
import type { Passwords } from '../../sealing/passwords';
import { findIdentity } from '../../store/people/identities';
import type { SealedCaptureRow } from '../../store/worker/sealed-captures';
import { type AskDependencies, askSource, NotYet } from './ask-source';

/** A candidate is handed over before its source stores it. */
const SETTLED_SECONDS = 2;

/**
 * Whether the source took a password that was only a candidate when it was captured, found out with one login.
 * @returns true as well where there is nothing to find out
 * @throws NotYet; what comes after it from the same source waits, too
 */
export async function isConfirmed(
  deps: AskDependencies,
  { source, heldMs }: SealedCaptureRow,
  account: string,
  { next: password, form }: Passwords,
): Promise<boolean> {
  const configured = sourceNamed((await deps.configuration()).configuration, source);
  if (configured?.capture?.confirm !== true) return true;
  const person = await findIdentity(deps.db, { source, account });
  const linked = person?.accounts.find((one) => one.source === source && one.name === account);
  if (linked === undefined) return true;
  const unsettledSeconds = SETTLED_SECONDS - heldMs / 1000;
  if (unsettledSeconds > 0) throw new NotYet(unsettledSeconds);
  const seen = await askSource(
    deps,
    source,
    configured,
    (connector) => connector.verify({ account: linked, password, form }),
    (answer) => (answer.result === 'inconclusive' ? answer : null),
  );
  return seen.result === 'holds';
}
