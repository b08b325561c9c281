/** Names that attributes and columns with passwords, hashes and keys have in directories, databases and vendors' APIs. */
const secretName = /pass(?!port)|pwd|secret|hash|credential|token|private|kerberos|ntlm|shadow/i;

/** `{SSHA}…` of directories, `$2b$…` of crypt(3). */
const hashValue = /^(\{[\w.-]+\}|\$[\w-]+\$)./;

/** Whether the value of an attribute may be a password or the hash of one, so that no person may see it. */
export const isSecretLooking = (name: string, value: string): boolean =>
  secretName.test(name) || hashValue.test(value);
