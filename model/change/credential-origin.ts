import type { CredentialProof } from '../people/set-credentials';
import type { Proof } from './outcome';

/** How a stored credential came, and whether the account was shown to hold it then. */
export const credentialOrigins = {
  change_verified: { says: 'written by a change and verified' },
  change_accepted: { says: 'written by a change, not verified' },
  captured: { says: 'captured when the person changed it in the source' },
  followed: { says: 'taken from a change of the directory, not written to the account' },
  set_verified: { says: 'set by an administrator and verified' },
  set_unverified: { says: 'set by an administrator, not verified' },
  set_by_person: { says: 'set by the person and verified' },
} as const;

export type CredentialOrigin = keyof typeof credentialOrigins;

/** How the credential came that a change stores. */
export function fromChange(
  outcome: { readonly proof: Proof } | null,
  isCaptured: boolean,
): CredentialOrigin {
  if (outcome === null) return 'followed';
  if (outcome.proof !== 'none') return 'change_verified';
  return isCaptured ? 'captured' : 'change_accepted';
}

/** How a credential came that was set with its mapping. A person may only set what is verified. */
export function fromRequest(proof: CredentialProof, byPerson: boolean): CredentialOrigin {
  if (proof === 'none') return 'set_unverified';
  return byPerson ? 'set_by_person' : 'set_verified';
}
