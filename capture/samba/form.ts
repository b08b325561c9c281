/** The form in which a domain hands passwords over. */
export type SambaForm = 'plaintext' | 'sha512-crypt' | 'sha256-crypt';

interface Needs {
  /** Name of the virtual attribute of samba-tool. */
  readonly attribute: string;
  /** Word in `password hash userPassword schemes` of smb.conf; null if a key in `password hash gpg key ids` is needed. */
  readonly scheme: string | null;
}

/** The number of rounds with which Lockstep hashes. Samba's default is 5,000; with this a change takes about 0.1 s longer. */
const ROUNDS = 100_000;

/** The settings of Samba that each form needs. */
export const needs: Readonly<Record<SambaForm, Needs>> = {
  plaintext: { attribute: 'virtualClearTextUTF8', scheme: null },
  'sha512-crypt': { attribute: 'virtualCryptSHA512', scheme: `CryptSHA512:rounds=${ROUNDS}` },
  'sha256-crypt': { attribute: 'virtualCryptSHA256', scheme: `CryptSHA256:rounds=${ROUNDS}` },
};

/** Attributes from which the script builds the account, the time and the sequence of a capture. */
const ALWAYS = [
  'objectGUID',
  'sAMAccountName',
  'userAccountControl',
  'pwdLastSet',
  'msDS-KeyVersionNumber',
];

/** All attributes that samba-tool must pass to the script. */
export const attributesOf = (form: SambaForm): string[] => [...ALWAYS, needs[form].attribute];
