import { connectorKinds } from '../connectors/registry';
import type { SourceConfiguration } from '../model/configuration/document';
import { handedOver } from '../model/configuration/hash-paths';
import type { Scheme } from '../model/hashes/encoding';

/**
 * The scheme of the hashes that captures of this source contain when Lockstep itself hashes the passwords for it; null
 * for every other source.
 */
export function hashedAs({ kind, settings, capture }: SourceConfiguration): Scheme | null {
  if (capture?.forms.some((form) => form !== 'plaintext') !== true) return null;
  const accepts = connectorKinds.get(kind)?.traitsOf(settings).accepts ?? [];
  const form = handedOver('plaintext', accepts);
  return form === 'plaintext' ? null : form;
}
