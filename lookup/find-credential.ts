import type { Application } from '../model/configuration/application';
import { applicationNamed } from '../model/configuration/document';
import { chosenCredential, type LookupRefusal, ownerFor } from '../model/lookup/rules';
import type { Person } from '../model/people/correlation';
import type { StoredCredential } from '../store/lookup';
import type { LookupConfiguration, LookupDependencies } from './dependencies';
import type { Read } from './remember';

/** A look-up that failed. The caller does not get the reason, only the audit does. */
export interface Refused {
  readonly refused: LookupRefusal;
}

export interface Found {
  readonly application: Application;
  readonly credential: Read<StoredCredential>;
}

export interface Wanted {
  readonly application: string;
  /** The id of the person on whose behalf the credential is read. */
  readonly identityId: string;
  /** The account that the request names. */
  readonly account: string | null;
  /** Who begins: the person, or an account of another application that leads to this one. */
  readonly initiator: 'person' | 'host';
}

/**
 * Finds the credential that a person has in an application. Each refusal runs the same statements, so that the time does
 * not show its reason.
 */
export async function findCredential(
  { reads }: Pick<LookupDependencies, 'reads'>,
  configuration: LookupConfiguration,
  { application: name, identityId, account, initiator }: Wanted,
): Promise<Found | Refused> {
  const application = applicationNamed(configuration, name) ?? null;
  const person: Person | null = await reads.person(identityId);
  const verdict = ownerFor(application, person, configuration.peopleGroups, initiator);
  const owner = 'owner' in verdict ? verdict.owner : '';
  const mayKeep = application?.credentialCache ?? false;
  const { value: credentials, ...read } = await reads.credentials(name, owner, mayKeep);
  if (application === null || 'refused' in verdict)
    return 'refused' in verdict ? verdict : { refused: 'application_unknown' };
  const chosen = chosenCredential(credentials, account);
  return 'refused' in chosen ? chosen : { application, credential: { value: chosen, ...read } };
}
