import type { Scheme } from '../../model/hashes/encoding';

/** Hash schemes that a directory may support. OpenLDAP needs modules for most: pw-sha2, pw-pbkdf2, argon2. */
export const directorySchemes = [
  'argon2',
  'bcrypt',
  'pbkdf2-sha512',
  'pbkdf2-sha256',
  'pbkdf2-sha1',
  'sha512-crypt',
  'sha256-crypt',
  'ssha512',
  'ssha384',
  'ssha256',
  'ssha',
  'sha',
] as const satisfies readonly Scheme[];
