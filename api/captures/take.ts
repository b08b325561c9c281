import type { Declined } from '../../model/capture';
import type { ErrorCode } from '../../model/errors';
import type { Caller } from '../../store/api-keys';
import { auditCapture } from '../../store/captures';
import type { Passwords } from '../../store/sealing';
import { type TakenIn, takeIn } from '../changes/accept';
import type { Dependencies } from '../dependencies';
import { Refusal } from '../refusal';
import { type Capture, CaptureDeclined, type Quiet } from './judge';

/**
 * Takes a captured password in, by whatever way it came. What starts nothing is in the audit.
 * @returns the change, or why there is none though nothing is wrong
 * @throws Refusal
 */
export async function takeCaptured(
  deps: Dependencies,
  caller: Caller,
  capture: Capture,
  passwords: Passwords,
  idempotencyKey: string | null,
): Promise<TakenIn | Quiet> {
  const note = (result: Declined | ErrorCode) =>
    auditCapture(deps.db, capture, result, `api-key:${caller.keyId}`);
  try {
    const { source, account } = capture;
    const person = { source, account };
    return await takeIn(deps, caller, { person, group: null, passwords, idempotencyKey, capture });
  } catch (error) {
    if (error instanceof Refusal) await note(error.code);
    if (!(error instanceof CaptureDeclined)) throw error;
    await note(error.why);
    return error.why;
  }
}
