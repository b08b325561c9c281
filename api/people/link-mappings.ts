import type { Configuration } from '../../model/configuration/document';
import { findIdentity, type IdentityView } from '../../store/people/identities';
import { type MappingOfPerson, readMappingsOf } from '../../store/people/listing';
import { linkMapping } from '../../store/people/mappings';
import type { Dependencies } from '../http/dependencies';
import { HttpProblem } from '../http/problem';
import { isSameAccount, type ResolvedMapping } from './mappings';

/**
 * Refuses mappings that would be a second one of an application whose type allows one, before anything is stored.
 * @param identity null for a person who is added
 * @throws HttpProblem with the positions of these mappings
 */
export async function requireFree(
  { db }: Dependencies,
  configuration: Configuration,
  identity: Pick<IdentityView, 'id'> | null,
  mappings: readonly ResolvedMapping[],
): Promise<void> {
  const existing = identity === null ? [] : await readMappingsOf(db, identity.id);
  const surplus = surplusIn(configuration, existing, mappings);
  if (surplus.length > 0) throw mappingTaken(surplus);
}

function surplusIn(
  configuration: Configuration,
  existing: readonly Pick<MappingOfPerson, 'application' | 'source' | 'account'>[],
  wanted: readonly ResolvedMapping[],
): number[] {
  const before = existing.map(({ application, source, account: name }) => ({
    application,
    account: { source, name },
  }));
  return wanted.flatMap(({ application, account, allowsOne }, index) => {
    const isSame = (other: ResolvedMapping['account']) =>
      isSameAccount(configuration, other, account);
    const ofApplication = (all: readonly Pick<ResolvedMapping, 'application' | 'account'>[]) =>
      all.filter((one) => one.application === application).map((one) => one.account);
    const stored = ofApplication(before);
    const others = [...stored, ...ofApplication(wanted.slice(0, index))];
    const surplus = !stored.some(isSame) && others.some((other) => !isSame(other));
    return allowsOne && surplus ? [index] : [];
  });
}

export async function linkMappings(
  { db }: Dependencies,
  configuration: Configuration,
  name: string,
  mappings: readonly ResolvedMapping[],
  by: string,
): Promise<void> {
  if (mappings.length === 0) return;
  const identity = await findIdentity(db, { name });
  for (const [index, { application, account, enabled, allowsOne }] of mappings.entries()) {
    const linked = identity?.accounts.find((candidate) =>
      isSameAccount(configuration, candidate, account),
    );
    if (identity === null || linked === undefined) throw new HttpProblem('not_found');
    const link = { identityId: identity.id, application, accountId: linked.id, enabled, allowsOne };
    // Another request may have unlinked the account, or created a mapping of this person, in the meantime.
    const result = await linkMapping(db, link, by);
    if (result === 'missing') throw new HttpProblem('not_found');
    if (result === 'taken') throw mappingTaken([index]);
  }
}

const mappingTaken = (positions: readonly number[]): HttpProblem =>
  new HttpProblem('mapping_taken', {
    issues: positions.map((index) => ({
      path: ['mappings', index],
      says: 'would be a second mapping of an application whose type allows one',
    })),
  });
