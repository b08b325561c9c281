import type { Dependencies } from '../../activities/dependencies';
import { recordSourceAnswer } from '../../activities/shared/record-source-answer';
import type { AccountRef, VerifyAnswer } from '../../connectors/contract';
import type { SourceConfiguration } from '../../model/configuration/document';
import type { Secret } from '../../model/passwords/secret';

/** Verifies a password by at most one login, and records why the source gave no answer. */
export async function verifyOnce(
  deps: Dependencies,
  name: string,
  source: SourceConfiguration,
  account: AccountRef,
  password: Secret,
): Promise<VerifyAnswer> {
  const connector = await deps.connector(name, source);
  const answer = await connector.verify({ account, password, form: 'plaintext' });
  if (answer.result === 'inconclusive') {
    const { reason, vendorCode } = answer;
    const asked = { source: name, reason, vendorCode, retryAfterMs: null, probe: null };
    await recordSourceAnswer(deps, asked);
  }
  return answer;
}
