import type { Dependencies } from '../../activities/dependencies';
import { withFiltered } from '../../activities/shared/filter-passwords';
import type { SignInResult } from '../../model/captures/sign-in';
import { accountFilter } from '../../model/configuration/account-filter';
import type { Configuration, SourceConfiguration } from '../../model/configuration/document';
import type { Reason } from '../../model/errors';
import { destroyPasswords, unseal } from '../../sealing/passwords';
import type { SourceJob } from '../../store/sources/jobs';
import { dequeueSignIn, noteSignIn, type SealedSignIn } from '../../store/worker/sign-ins';
import { verifyOnce } from './verify-once';

/** The result of a sign-in check. */
export interface SignInAnswer {
  readonly result: SignInResult;
  /** Why the result is `unknown`; null otherwise. */
  readonly reason: Reason | null;
}

const expired: SignInAnswer = { result: 'unknown', reason: 'too_old' };

/** Checks with at most one login whether the account holds the password. The sealed password is deleted first. */
export async function answerSignIn(
  deps: Dependencies,
  job: SourceJob,
  source: SourceConfiguration,
  configuration: Configuration,
): Promise<SignInAnswer> {
  const sealed = await dequeueSignIn(deps.db, job.id);
  if (sealed === null) return expired;
  const answer = await ask(deps, job, source, configuration, sealed);
  await noteSignIn(deps.db, job, sealed.account.id, answer.result);
  return answer;
}

async function ask(
  deps: Dependencies,
  { id, source: name, parameters }: SourceJob,
  source: SourceConfiguration,
  configuration: Configuration,
  { account, epochId, jwe, expiresAt }: SealedSignIn,
): Promise<SignInAnswer> {
  const key = await deps.keys.epochKey(epochId);
  if (key === null) return expired;
  const sealedFor = { changeId: id, identityId: String(parameters.identityId), seq: 0, expiresAt };
  const passwords = await unseal(jwe, key, sealedFor);
  try {
    const filter = accountFilter(configuration, name, account.mappings);
    return await withFiltered(filter, passwords.next, async (password) => {
      // The password filter leaves too little, so the account cannot have this password.
      if (password === null) return { result: 'differs', reason: null };
      const answer = await verifyOnce(deps, name, source, account, password);
      return answer.result === 'inconclusive'
        ? { result: 'unknown', reason: answer.reason }
        : { result: answer.result, reason: null };
    });
  } finally {
    destroyPasswords(passwords);
  }
}
