import { type AcceptedRequest, acceptRequest } from '../../intake/accept';
import {
  type CaptureResult,
  type CaptureVia,
  countCaptures,
  sourceLabel,
} from '../../intake/capture-counter';
import type { IntakeDependencies } from '../../intake/dependencies';
import { type Capture, CaptureDeclined, type Quiet } from '../../intake/evaluate-capture';
import { rulesIn } from '../../intake/find-person';
import { IntakeRejected } from '../../intake/rejected';
import type { Declined } from '../../model/captures/capture';
import type { ErrorCode } from '../../model/errors';
import type { Passwords } from '../../sealing/passwords';
import type { Caller } from '../../store/api-keys';
import { auditCapture } from '../../store/captures/fingerprints';
import { actorOf } from '../http/actor';

/**
 * Ingests a captured password, whichever way it was submitted. A capture that starts no change is audited. Each result
 * is counted.
 * @param readPasswords throws IntakeRejected if the submitted hash is not in a known format
 * @returns the change, or the reason why a valid capture starts none
 * @throws IntakeRejected if the capture is not accepted
 */
export async function ingestCapture(
  deps: IntakeDependencies,
  caller: Caller,
  capture: Capture,
  readPasswords: () => Passwords,
  idempotencyKey: string | null,
  via: CaptureVia,
): Promise<AcceptedRequest | Quiet> {
  const count = async (result: CaptureResult) => {
    // The person was looked up with the configuration in force, which is known since then.
    const { configuration } = await deps.configuration(0);
    countCaptures(sourceLabel(configuration, capture.source), via, result);
  };
  const audit = async (result: Declined | ErrorCode) => {
    const { naming } = rulesIn((await deps.configuration(0)).configuration, capture.source);
    await auditCapture(deps.db, capture, result, actorOf(caller), naming);
  };
  try {
    const { source, account } = capture;
    const person = { source, account };
    const passwords = readPasswords();
    const accepted = await acceptRequest(deps, caller, {
      person,
      group: null,
      passwords,
      idempotencyKey,
      capture,
    });
    await count(accepted.replayed ? 'repeated' : 'accepted');
    return accepted;
  } catch (error) {
    if (error instanceof IntakeRejected) await count(error.code);
    // While captures are stopped the client retries; the capture is audited once it is ingested.
    if (error instanceof IntakeRejected && error.code !== 'captures_stopped')
      await audit(error.code);
    if (!(error instanceof CaptureDeclined)) throw error;
    await count(error.why);
    await audit(error.why);
    return error.why;
  }
}
