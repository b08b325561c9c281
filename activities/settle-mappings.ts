import { ApplicationFailure } from '@temporalio/common';
import { log } from '../log';
import { fromChange } from '../model/change/credential-origin';
import { KEY_STORE_UNAVAILABLE, mappingStep } from '../model/change/mapping';
import {
  advanceMappings,
  type FlagReason,
  flagMappings,
  type MappingToSettle,
  readMappingsToSettle,
  sealCredential,
} from '../store/worker/credentials';
import { KeyStoreUnavailable, type MasterKey } from '../store/worker/keys/key-store';
import type { Dependencies } from './dependencies';
import { filterInChange, withFiltered } from './shared/filter-passwords';
import { type LoadedChange, loadChange } from './shared/load-change';

/**
 * Activity 5 of 6, the compensating step: makes every single sign-on mapping hold what its system really holds (I6). A
 * mapping advances to the new password where the account was changed, stays where it was not, and is flagged as out of
 * sync where the account is in doubt. Repeating it is harmless. `closeChange` runs the same at the end.
 */
export function settleMappings(deps: Dependencies) {
  return async (changeId: string): Promise<void> => {
    const mappings = await readMappingsToSettle(deps.db, changeId);
    // Most people have no mapping; then the change itself is not needed.
    if (mappings.length > 0) await settleThese(deps, await loadChange(deps, changeId), mappings);
  };
}

/**
 * Settles the mappings of the accounts that hold the new password already, while the auth account may have to wait for
 * long. If the store of the master keys is unavailable, they are left to the close of the change. A bound worker, which
 * has no master key, leaves them to another worker.
 */
export async function settleMappingsSoFar(deps: Dependencies, changeId: string): Promise<void> {
  if (deps.boundTo !== undefined) return;
  await settleMappings(deps)(changeId).catch((error: unknown) => {
    if (!(error instanceof ApplicationFailure) || error.type !== KEY_STORE_UNAVAILABLE) throw error;
  });
}

async function settleThese(
  deps: Dependencies,
  loaded: LoadedChange,
  mappings: readonly MappingToSettle[],
): Promise<void> {
  const flag = (flagged: readonly { readonly id: string; readonly reason: FlagReason }[]) =>
    flagMappings(deps.db, loaded.change, flagged);
  const steps = mappings.map((mapping) => ({ mapping, step: stepOf(mapping, loaded) }));
  await flag(
    steps.flatMap(({ mapping: { id }, step }) =>
      step === 'stay' || step === 'advance' ? [] : [{ id, reason: step }],
    ),
  );
  const advancing = steps.filter(({ step }) => step === 'advance').map(({ mapping }) => mapping);
  if (advancing.length === 0) return;
  const master = await masterKeyFor(deps, loaded, advancing);
  const advanced = await advance(deps, loaded, advancing, master);
  await flag(
    advancing
      .filter(({ id }) => !advanced.includes(id))
      .map(({ id }) => ({ id, reason: 'in_doubt' })),
  );
}

function stepOf(
  mapping: MappingToSettle,
  { change, configuration }: LoadedChange,
): 'advance' | 'stay' | FlagReason {
  if (mapping.outcome === null) {
    const { directFrom } = configuration.applications[mapping.application] ?? {};
    if (directFrom === undefined || directFrom !== mapping.authSource) return 'stay';
  } else {
    const step = mappingStep(mapping.outcome);
    // The account holds a captured password that was refused, so the credential is not the one of the account.
    if (step === 'stay') return mapping.isOrigin ? 'capture_refused' : 'stay';
    if (step === 'flag') return 'in_doubt';
  }
  if (change.form !== 'plaintext') return 'hash_only';
  if (!mapping.enabled) return 'mapping_disabled';
  return configuration.applications[mapping.application]?.enabled === true
    ? 'advance'
    : 'application_disabled';
}

/**
 * The key that seals the new credentials.
 * @throws ApplicationFailure when the key store is unavailable: the step is repeated until it is back, and the password of
 *   the change stays sealed
 */
async function masterKeyFor(
  { db, keys }: Dependencies,
  { change }: LoadedChange,
  waiting: readonly MappingToSettle[],
): Promise<MasterKey> {
  try {
    return await keys.currentMasterKey();
  } catch (error) {
    if (!(error instanceof KeyStoreUnavailable)) throw error;
    await flagMappings(
      db,
      change,
      waiting.map(({ id }) => ({ id, reason: KEY_STORE_UNAVAILABLE })),
    );
    log.warn('new credentials wait, because the store of the master keys is unavailable', {
      changeId: change.id,
      reason: error.problem,
    });
    const failure = ApplicationFailure.retryable(error.message, KEY_STORE_UNAVAILABLE);
    failure.stack = '';
    throw failure;
  }
}

/** @returns the ids of the mappings that now hold the new password; none when the password was destroyed before */
async function advance(
  { db }: Dependencies,
  { change, configuration, withPasswords }: LoadedChange,
  mappings: readonly MappingToSettle[],
  master: MasterKey,
): Promise<readonly string[]> {
  return withPasswords(async (passwords) => {
    if (passwords === null) return [];
    const seal = ({ id, accountId, source, holdsTyped, outcome }: MappingToSettle) =>
      withFiltered(
        filterInChange(configuration, change, { id: accountId, source }),
        (holdsTyped ? passwords.typed : undefined) ?? passwords.next,
        // The filter leaves nothing only if it was changed after the account was written.
        async (filtered) =>
          filtered === null
            ? []
            : [
                {
                  id,
                  masterKeyId: master.id,
                  storedFrom: fromChange(outcome, holdsTyped),
                  sealed: sealCredential(master, id, change.seq, filtered),
                },
              ],
      );
    const sealed = (await Promise.all(mappings.map(seal))).flat();
    await advanceMappings(db, change, sealed);
    return sealed.map(({ id }) => id);
  });
}
