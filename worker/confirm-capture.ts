import { noteAnswer } from '../activities/circuit';
import type { Dependencies } from '../activities/dependencies';
import type { IntakeDependencies } from '../intake/dependencies';
import { isSourceTrouble } from '../model/circuit';
import { sourceNamed } from '../model/configuration';
import type { Passwords } from '../sealing/passwords';
import { findIdentity } from '../store/identities';
import type { SealedCaptureRow } from '../store/sealed-captures';
import { readSourceStates } from '../store/source-state';

export type ConfirmDependencies = Pick<Dependencies, 'db' | 'connector' | 'random'> &
  Pick<IntakeDependencies, 'configuration'>;

/** Nothing is wrong with the capture: whether its source took it cannot be known before so many seconds have passed. */
export class NotYet extends Error {
  readonly seconds: number;

  constructor(seconds: number) {
    super('not yet');
    this.seconds = seconds;
  }
}

/** A candidate is handed over before its source stores it. */
const SETTLED_SECONDS = 2;
const TROUBLE_SECONDS = 30;

/**
 * Whether the source took a password that was only a candidate when it was captured, found out with one login.
 * @returns true as well where there is nothing to find out
 * @throws NotYet; what comes after it from the same source waits, too
 */
export async function isConfirmed(
  deps: ConfirmDependencies,
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
  const state = (await readSourceStates(deps.db)).get(source);
  if (state?.state === 'paused') throw new NotYet(TROUBLE_SECONDS);
  const connector = await deps.connector(source, configured);
  const seen = await connector.verify({ account: linked, password, form });
  const reason =
    seen.result === 'inconclusive' && isSourceTrouble(seen.reason) ? seen.reason : null;
  const vendorCode = seen.result === 'holds' ? null : seen.vendorCode;
  const probe = state?.state === 'down' ? state.failures : null;
  await noteAnswer(deps, { source, reason, vendorCode, retryAfterMs: null, probe });
  if (reason !== null) throw new NotYet(TROUBLE_SECONDS);
  return seen.result === 'holds';
}
