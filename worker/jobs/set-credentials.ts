import type { Dependencies } from '../../activities/dependencies';
import { withFiltered } from '../../activities/shared/filter-passwords';
import { connectorKinds } from '../../connectors/registry';
import { type AccountFilter, accountFilter } from '../../model/configuration/account-filter';
import type { Configuration, SourceConfiguration } from '../../model/configuration/document';
import type { ErrorCode, Reason } from '../../model/errors';
import type { Secret } from '../../model/passwords/secret';
import {
  type CredentialProof,
  type CredentialResult,
  isVerifiable,
} from '../../model/people/set-credentials';
import { destroyPasswords, unseal } from '../../sealing/passwords';
import type { SourceJob } from '../../store/sources/jobs';
import { sealCredential } from '../../store/worker/credentials';
import { KeyStoreUnavailable, type MasterKey } from '../../store/worker/keys/key-store';
import { releaseGuard, settleGuard } from '../../store/worker/login-guard';
import {
  type CredentialState,
  type CredentialTarget,
  noteRefusedCredential,
  readCredentialState,
  storeCredential,
  type VerifiedCredential,
} from '../../store/worker/set-credentials';
import { dequeueSignIn, type SealedSignIn } from '../../store/worker/sign-ins';
import { verifyOnce } from './verify-once';

/**
 * Verifies a password at its account with at most one login, and stores it as the credential of a mapping. The sealed
 * password is deleted first. A change that is newer is never overwritten: it stores the newer password itself.
 */
export async function setCredentials(
  deps: Dependencies,
  job: SourceJob,
  source: SourceConfiguration,
  configuration: Configuration,
): Promise<CredentialResult> {
  const target = job.parameters as unknown as CredentialTarget;
  const sealed = await dequeueSignIn(deps.db, job.id);
  if (sealed === null) return unverified('too_old');
  // The password is gone from here on, so a failure ends the request; its audit record is written in any case.
  const result = await attempt(deps, job, source, configuration, target, sealed).catch(
    async (error: unknown) => {
      await noteRefusedCredential(deps.db, job, target, 'internal');
      throw error;
    },
  );
  if (result.result !== 'stored')
    await noteRefusedCredential(deps.db, job, target, refusalOf(result));
  return result;
}

const unverified = (reason: Reason | null): CredentialResult => ({
  result: 'unverified',
  proof: null,
  reason,
});
const OUTDATED: CredentialResult = { result: 'outdated', proof: null, reason: null };
const DIFFERS: CredentialResult = { result: 'differs', proof: null, reason: null };

const refusalOf = ({ result, reason }: CredentialResult): ErrorCode =>
  result === 'differs'
    ? 'credential_wrong'
    : result === 'outdated'
      ? 'credential_outdated'
      : (reason ?? 'credential_not_verified');

async function attempt(
  deps: Dependencies,
  job: SourceJob,
  source: SourceConfiguration,
  configuration: Configuration,
  target: CredentialTarget,
  { account, epochId, jwe, expiresAt }: SealedSignIn,
): Promise<CredentialResult> {
  const before = await readCredentialState(deps.db, target);
  const key = await deps.keys.epochKey(epochId);
  const filter = accountFilter(configuration, job.source, account.mappings);
  const refused = key === null ? unverified('too_old') : refusedBefore(before, filter);
  const release = async (): Promise<void> => {
    if (target.verify !== 'none') await releaseGuard(deps.db, account.id);
  };
  if (refused !== null || before === null || key === null) {
    await release();
    return refused ?? OUTDATED;
  }
  // Without its key nothing can be stored, so the password is not tried either.
  const master = await availableKey(deps);
  if (master === null) {
    await release();
    return unverified(null);
  }
  const sealedFor = { changeId: job.id, identityId: target.identityId, seq: 0, expiresAt };
  const passwords = await unseal(jwe, key, sealedFor);
  try {
    return await withFiltered(filter, passwords.next, async (password) => {
      // The password filter leaves too little, so the account cannot have this password.
      if (password === null) return DIFFERS;
      const proof = await verified(deps, job, target, source, account, password);
      if (typeof proof !== 'string') return proof;
      const verifiedAs = { lastSeq: before.lastSeq, account };
      const result = await store(deps, job, target, verifiedAs, master, password, proof);
      // As after a change by the help desk: what an administrator has stored is what the next old password is compared with.
      if (result.result === 'stored') await settleGuard(deps.db, account.id, 'holds');
      return result;
    });
  } finally {
    destroyPasswords(passwords);
  }
}

/** The key that seals new credentials; null while the key store is unavailable. */
const availableKey = ({ keys }: Dependencies): Promise<MasterKey | null> =>
  keys.currentMasterKey().catch((error: unknown) => {
    if (error instanceof KeyStoreUnavailable) return null;
    throw error;
  });

/** Why no login is made; null if one is. */
function refusedBefore(
  before: CredentialState | null,
  filter: AccountFilter,
): CredentialResult | null {
  if (before === null || before.underWay) return OUTDATED;
  if (before.problem === 'linked_twice') return unverified('linked_twice');
  return filter === 'filter_conflict' ? unverified(filter) : null;
}

/** @returns the proof, or why there is none */
async function verified(
  deps: Dependencies,
  { source: name }: SourceJob,
  { verify }: CredentialTarget,
  source: SourceConfiguration,
  account: SealedSignIn['account'],
  password: Secret,
): Promise<CredentialProof | CredentialResult> {
  const traits = connectorKinds.get(source.kind)?.traitsOf(source.settings);
  const canVerify = isVerifiable(source, traits?.proof ?? 'none');
  if (verify === 'none') {
    // If the source can verify by now, the password is not stored unverified. The guard was not opened for a login.
    return canVerify ? unverified(null) : 'none';
  }
  if (!canVerify) {
    // The caller may store only what was verified.
    await releaseGuard(deps.db, account.id);
    return unverified(null);
  }
  const answer = await verifyOnce(deps, name, source, account, password);
  await settleGuard(
    deps.db,
    account.id,
    answer.result === 'inconclusive' ? 'unknown' : answer.result,
  );
  if (answer.result === 'holds') return answer.proof;
  if (answer.result === 'differs') return DIFFERS;
  return unverified(answer.reason);
}

async function store(
  deps: Dependencies,
  job: SourceJob,
  target: CredentialTarget,
  { lastSeq, account }: Pick<VerifiedCredential, 'lastSeq' | 'account'>,
  master: MasterKey,
  password: Secret,
  proof: CredentialProof,
): Promise<CredentialResult> {
  const result: CredentialResult = { result: 'stored', proof, reason: null };
  const isStored = await storeCredential(deps.db, job, target, {
    sealed: sealCredential(master, target.mappingId, lastSeq, password),
    masterKeyId: master.id,
    lastSeq,
    account,
    result,
  });
  return isStored ? result : OUTDATED;
}
