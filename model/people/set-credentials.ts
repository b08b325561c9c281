import type { SourceConfiguration } from '../configuration/document';
import type { Reason } from '../errors';

/** What a worker stores as the result of a job that sets a stored credential. */
export interface CredentialResult {
  /** `differs`: the account holds another password. `outdated`: a change of the account is newer. */
  readonly result: 'stored' | 'differs' | 'unverified' | 'outdated';
  /** How the password was verified; null unless it was stored. */
  readonly proof: CredentialProof | null;
  /** Why the source gave no answer; null otherwise. */
  readonly reason: Reason | null;
}

export const credentialProofs = ['login', 'hash', 'none'] as const;
export type CredentialProof = (typeof credentialProofs)[number];

/**
 * Whether a password can be verified at a source before it is stored. Without that, only an administrator may store one,
 * because a person could store any text. A worker that asks an isolated source has no master key to store it with, and the
 * others cannot ask the source.
 * @param proof what the connector of the source can do
 */
export const isVerifiable = (
  { prove, isolated }: Pick<SourceConfiguration, 'prove' | 'isolated'>,
  proof: CredentialProof,
): boolean => prove !== 'never' && proof !== 'none' && !isolated;
