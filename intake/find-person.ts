import { accountRulesOf } from '../connectors/registry';
import { type Configuration, sourceNamed } from '../model/configuration/document';
import type { AccountRules } from '../model/people/naming';
import type { Caller } from '../store/api-keys';
import { findIdentity, type IdentityAtIntake } from '../store/people/identities';
import type { IntakeDependencies } from './dependencies';
import type { WhichPerson } from './person-reference';

/** The rules by which the accounts of a source are distinguished. */
export const rulesIn = (configuration: Configuration, source: string): AccountRules =>
  accountRulesOf(sourceNamed(configuration, source), configuration.sources);

/**
 * Reads the person whom a request names, directly or by an account in any spelling. For a key that is bound to one
 * person, no other person exists.
 * @returns null when there is none
 */
export async function findPerson(
  deps: Pick<IntakeDependencies, 'db' | 'configuration'>,
  { identityId }: Pick<Caller, 'identityId'>,
  person: WhichPerson,
): Promise<IdentityAtIntake | null> {
  const found = await findIdentity(deps.db, await keyOf(deps, person));
  return identityId === null || found?.id === identityId ? found : null;
}

async function keyOf(
  { configuration }: Pick<IntakeDependencies, 'configuration'>,
  person: WhichPerson,
) {
  if ('name' in person) return person;
  const { configuration: inForce } = await configuration();
  return { ...person, naming: rulesIn(inForce, person.source).naming };
}
