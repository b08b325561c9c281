/** As what a domain hands passwords over, and what that takes. */
export type SambaForm = 'plaintext' | 'sha512-crypt' | 'sha256-crypt';

interface Needs {
  /** As samba-tool calls it. */
  readonly attribute: string;
  /** In `password hash userPassword schemes` of smb.conf; null: a key in `password hash gpg key ids`. */
  readonly scheme: string | null;
}

/** Samba's own default is 5,000; these are the rounds that Lockstep hashes with. A change takes about 0.1 s longer. */
const ROUNDS = 100_000;

export const needs: Readonly<Record<SambaForm, Needs>> = {
  plaintext: { attribute: 'virtualClearTextUTF8', scheme: null },
  'sha512-crypt': { attribute: 'virtualCryptSHA512', scheme: `CryptSHA512:rounds=${ROUNDS}` },
  'sha256-crypt': { attribute: 'virtualCryptSHA256', scheme: `CryptSHA256:rounds=${ROUNDS}` },
};

/** What the script needs to tell one change from another, and whose it is. */
const ALWAYS = [
  'objectGUID',
  'sAMAccountName',
  'userAccountControl',
  'pwdLastSet',
  'msDS-KeyVersionNumber',
];

export const attributesOf = (form: SambaForm): string[] => [...ALWAYS, needs[form].attribute];
