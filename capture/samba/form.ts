/** The form in which a domain hands passwords over. */
export type SambaForm = 'plaintext' | 'sha512-crypt' | 'sha256-crypt';

/** The number of rounds with which Lockstep hashes. Samba's default is 5,000; with this a change takes about 0.1 s longer. */
const ROUNDS = 100_000;

/**
 * The word that each form needs in `password hash userPassword schemes` of smb.conf; null if a key in `password hash gpg
 * key ids` is needed.
 */
export const schemeOf: Readonly<Record<SambaForm, string | null>> = {
  plaintext: null,
  'sha512-crypt': `CryptSHA512:rounds=${ROUNDS}`,
  'sha256-crypt': `CryptSHA256:rounds=${ROUNDS}`,
};
