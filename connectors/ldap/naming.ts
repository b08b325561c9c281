import { foldAscii } from '../../model/people/fold-case';
import type { Naming } from '../../model/people/naming';
import type { ServiceAccount } from '../contract';
import { canonicalDn, isDn } from './dn';

/**
 * How the accounts of a directory are distinguished. The name is a DN, and the id (entryUUID, objectGUID) is never given
 * to another entry. Values are compared without the case of ASCII letters only: a directory also matches text that only
 * looks the same, such as full-width letters (RFC 4518), which must not link an account to the wrong person.
 * @param exactTypes attribute types of a DN whose values differ by case
 */
export const dnNaming = (exactTypes: readonly string[]): Naming => ({
  canonicalName: (name) => canonicalDn(name, exactTypes),
  canonicalValue: (_attribute, value) => foldAscii(value),
  canonicalId: foldAscii,
  isLasting: () => true,
});

/** The account that signs in with this name, if the name is a DN. */
export const serviceAccountOf = (bindDn: string): ServiceAccount | null =>
  isDn(bindDn) ? { system: 'directory', name: bindDn } : null;
