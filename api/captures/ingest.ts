import { type AcceptedRequest, acceptRequest } from '../../intake/accept';
import type { IntakeDependencies } from '../../intake/dependencies';
import { type Capture, CaptureDeclined, type Quiet } from '../../intake/evaluate-capture';
import { IntakeRejected } from '../../intake/rejected';
import type { Declined } from '../../model/captures/capture';
import type { ErrorCode } from '../../model/errors';
import type { Passwords } from '../../sealing/passwords';
import type { Caller } from '../../store/api-keys';
import { auditCapture } from '../../store/captures/fingerprints';

/**
 * Takes a captured password in, by whatever way it came. What starts nothing is in the audit.
 * @param readPasswords refuses a hash that is none
 * @returns the change, or why there is none though nothing is wrong
 * @throws IntakeRejected
 */
export async function ingestCapture(
  deps: IntakeDependencies,
  caller: Caller,
  capture: Capture,
  readPasswords: () => Passwords,
  idempotencyKey: string | null,
): Promise<AcceptedRequest | Quiet> {
  const note = (result: Declined | ErrorCode) =>
    auditCapture(deps.db, capture, result, `api-key:${caller.keyId}`);
  try {
    const { source, account } = capture;
    const person = { source, account };
    const passwords = readPasswords();
    return await acceptRequest(deps, caller, {
      person,
      group: null,
      passwords,
      idempotencyKey,
      capture,
    });
  } catch (error) {
    // It is sent again and again, and is audited when it is taken.
    if (error instanceof IntakeRejected && error.code !== 'captures_stopped')
      await note(error.code);
    if (!(error instanceof CaptureDeclined)) throw error;
    await note(error.why);
    return error.why;
  }
}
