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
import { type OpenWork, openWork } from './open-change';
import { withFiltered } from './password-filter';
import { withPasswords } from './unsealed';

/**
 * The compensating step: every mapping tells what its system really holds (I6). It advances where the system changed,
 * stays where it did not, and is flagged where nobody knows. Running it again does no harm.
 */
export function settleMappings(deps: Dependencies) {
  return async (changeId: string): Promise<void> => {
    await settleMappingsOf(deps, await openWork(deps, changeId));
  };
}

export async function settleMappingsOf(deps: Dependencies, work: OpenWork): Promise<void> {
  const { change } = work;
  const mappings = await readMappingsToSettle(deps.db, change.id);
  if (mappings.length === 0) return;
  const steps = mappings.map((mapping) => ({ mapping, step: stepOf(mapping, work) }));
  const advancing = steps.filter(({ step }) => step === 'advance').map(({ mapping }) => mapping);
  const advanced = advancing.length === 0 ? [] : await advance(deps, work, advancing);
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
  { change, configuration }: OpenWork,
): 'advance' | 'stay' | FlagReason {
  const step = mappingStep(mapping.outcome);
  if (step === 'stay') return 'stay';
  if (step === 'flag') return 'in_doubt';
  if (change.form !== 'plaintext') return 'hash_only';
  if (!mapping.enabled) return 'mapping_disabled';
  return configuration.applications[mapping.application]?.enabled === true
    ? 'advance'
    : 'application_disabled';
}

/** @returns those that tell what their system holds; none when the password is gone already */
async function advance(
  deps: Dependencies,
  { change, configuration }: OpenWork,
  mappings: readonly MappingToSettle[],
): Promise<readonly string[]> {
  const master = await deps.keys.currentMasterKey();
  return withPasswords(deps, change, async (passwords) => {
    if (passwords === null) return [];
    const seal = ({ id, source }: MappingToSettle) =>
      withFiltered(
        sourceNamed(configuration, source)?.passwordFilter,
        passwords.next,
        // Nothing is left of it when the filter was changed after the account.
        async (written) =>
          written === null
            ? []
            : [
                {
                  id,
                  masterKeyId: master.id,
                  sealed: sealCredential(master, id, change.seq, written),
                },
              ],
      );
    const sealed = (await Promise.all(mappings.map(seal))).flat();
    await advanceMappings(deps.db, change, sealed);
    return sealed.map(({ id }) => id);
  });
}
