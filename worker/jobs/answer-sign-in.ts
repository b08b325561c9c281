import type { Dependencies } from '../../activities/dependencies';
import { withFiltered } from '../../activities/shared/filter-passwords';
import { recordSourceAnswer } from '../../activities/shared/record-source-answer';
import type { SignInResult } from '../../model/captures/sign-in';
import type { SourceConfiguration } from '../../model/configuration/document';
import type { Reason } from '../../model/errors';
import { destroyPasswords, unseal } from '../../sealing/passwords';
import type { Job } from '../../store/sources/jobs';
import { noteSignIn, type SealedSignIn, takeSignIn } from '../../store/worker/sign-ins';

export interface SignInAnswer {
  readonly result: SignInResult;
  /** Why it is not known. */
  readonly reason: Reason | null;
}

const gone: SignInAnswer = { result: 'unknown', reason: 'too_old' };

/** Asks the account by one login at most whether it holds the password. The sealed password is gone before. */
export async function answerSignIn(
  deps: Dependencies,
  job: Job,
  source: SourceConfiguration,
): Promise<SignInAnswer> {
  const sealed = await takeSignIn(deps.db, job.id);
  if (sealed === null) return gone;
  const answer = await ask(deps, job, source, sealed);
  await noteSignIn(deps.db, sealed.account.id, answer.result);
  return answer;
}

async function ask(
  deps: Dependencies,
  { id, source: name, parameters }: Job,
  source: SourceConfiguration,
  { account, epochId, jwe, expiresAt }: SealedSignIn,
): Promise<SignInAnswer> {
  const key = await deps.keys.epochKey(epochId);
  if (key === null) return gone;
  const sealedFor = { changeId: id, identityId: String(parameters.identityId), seq: 0, expiresAt };
  const passwords = await unseal(jwe, key, sealedFor);
  try {
    const connector = await deps.connector(name, source);
    return await withFiltered(source.passwordFilter, passwords.next, async (password) => {
      // Too little is left of it: nobody can have it there.
      if (password === null) return { result: 'differs', reason: null };
      const seen = await connector.verify({ account, password, form: 'plaintext' });
      if (seen.result !== 'inconclusive') return { result: seen.result, reason: null };
      const { reason, vendorCode } = seen;
      await recordSourceAnswer(deps, {
        source: name,
        reason,
        vendorCode,
        retryAfterMs: null,
        probe: null,
      });
      return { result: 'unknown', reason };
    });
  } finally {
    destroyPasswords(passwords);
  }
}
