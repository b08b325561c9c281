import { accountRulesOf } from '../connectors/registry';
import { type Configuration, sourceNamed } from '../model/configuration/document';
import type { AccountRules } from '../model/people/naming';
import { findIdentity, type IdentityAtIntake } from '../store/people/identities';
import type { IntakeDependencies } from './dependencies';
import type { WhichPerson } from './person-reference';

/** The rules by which the accounts of a source are distinguished. */
export const rulesIn = (configuration: Configuration, source: string): AccountRules =>
  accountRulesOf(sourceNamed(configuration, source), configuration.sources);

/** Reads the person whom a request names, directly or by an account in any spelling; null when there is none. */
export async function findPerson(
  { db, configuration }: Pick<IntakeDependencies, 'db' | 'configuration'>,
  person: WhichPerson,
): Promise<IdentityAtIntake | null> {
  if ('name' in person) return findIdentity(db, person);
  const { configuration: inForce } = await configuration();
  return findIdentity(db, { ...person, naming: rulesIn(inForce, person.source).naming });
}
