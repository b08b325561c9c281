import { mappingStep } from '../model/change/mapping';
import { sourceNamed } from '../model/configuration/document';
import {
  advanceMappings,
  type FlagReason,
  flagMappings,
  type MappingToSettle,
  readMappingsToSettle,
  sealCredential,
} from '../store/worker/credentials';
import type { Dependencies } from './dependencies';
import { withFiltered } from './shared/filter-passwords';
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

async function settleThese(
  deps: Dependencies,
  loaded: LoadedChange,
  mappings: readonly MappingToSettle[],
): Promise<void> {
  const { change } = loaded;
  const steps = mappings.map((mapping) => ({ mapping, step: stepOf(mapping, loaded) }));
  const advancing = steps.filter(({ step }) => step === 'advance').map(({ mapping }) => mapping);
  const advanced = advancing.length === 0 ? [] : await advance(deps, loaded, advancing);
  await flagMappings(
    deps.db,
    change,
    steps.flatMap(({ mapping: { id }, step }): { id: string; reason: FlagReason }[] => {
      if (step === 'stay') return [];
      if (step !== 'advance') return [{ id, reason: step }];
      return advanced.includes(id) ? [] : [{ id, reason: 'in_doubt' }];
    }),
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

/** @returns the ids of the mappings that now hold the new password; none when the password was destroyed before */
async function advance(
  deps: Dependencies,
  { change, configuration, withPasswords }: LoadedChange,
  mappings: readonly MappingToSettle[],
): Promise<readonly string[]> {
  const master = await deps.keys.currentMasterKey();
  return withPasswords(async (passwords) => {
    if (passwords === null) return [];
    const seal = ({ id, source, holdsTyped, outcome }: MappingToSettle) =>
      withFiltered(
        sourceNamed(configuration, source)?.passwordFilter,
        (holdsTyped ? passwords.typed : undefined) ?? passwords.next,
        // The filter leaves nothing only if it was changed after the account was written.
        async (filtered) =>
          filtered === null
            ? []
            : [
                {
                  id,
                  masterKeyId: master.id,
                  direct: outcome === null,
                  sealed: sealCredential(master, id, change.seq, filtered),
                },
              ],
      );
    const sealed = (await Promise.all(mappings.map(seal))).flat();
    await advanceMappings(deps.db, change, sealed);
    return sealed.map(({ id }) => id);
  });
}
