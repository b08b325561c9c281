/** Why a worker cannot use the store of the master keys, and what the operator does about it. */
export const keyStoreProblems = {
  folder:
    'The worker cannot read its key folder. Let its user read LOCKSTEP_KEY_DIR and its folder master.',
  missing:
    'The key store has no master key, or not the one that is needed. Run: lockstep sso secret restore.',
  damaged:
    'The file of a master key is damaged, or holds another key. Run on the machine of the worker: lockstep sso secret status, which names the file.',
  exposed:
    'Other users can read the file of a master key. Run on the machine of the worker: lockstep sso secret status, which names the file.',
  older_missing:
    'An older master key is missing, and stored credentials still need it. Run: lockstep sso secret restore.',
  older_damaged:
    'The file of an older master key is damaged or can be read by other users, and stored credentials still need it. Run on the machine of the worker: lockstep sso secret status, which names the file.',
  unreachable:
    'The key server does not answer. Check that it runs, that LOCKSTEP_TRANSIT_URL is its address, and that the worker can connect to it.',
  certificate:
    'The certificate of the key server is not trusted. Check LOCKSTEP_TRANSIT_CA_FILE and the name in the certificate.',
  token:
    'The worker has no usable token for the key server. Put the token, one line, into the file of LOCKSTEP_TRANSIT_TOKEN_FILE, and let the user of the worker read it.',
  refused:
    'The key server refuses the token of the worker. Put a valid token into the file of LOCKSTEP_TRANSIT_TOKEN_FILE; its policy must allow encryption and decryption with the key.',
  sealed: 'The key server is sealed or not active. Unseal it.',
  no_key:
    'The key server does not have the key LOCKSTEP_TRANSIT_KEY, or LOCKSTEP_TRANSIT_URL is not the address of a transit engine. Correct the variables, or restore the key from the backup of the key server.',
  wrong_key:
    'The key server cannot open the master key. It has another key of this name, or min_decryption_version excludes the version that sealed the master key.',
  invalid_answer:
    'The answer of the key server is not that of a transit engine. Check LOCKSTEP_TRANSIT_URL, and the log of the server.',
} as const;

export type KeyStoreProblem = keyof typeof keyStoreProblems;

/** Whether the problem keeps new credentials from being sealed. Without an older key, only what it has sealed is lost. */
export const keepsFromSealing = (problem: KeyStoreProblem): boolean =>
  problem !== 'older_missing' && problem !== 'older_damaged';

/** What a problem means for changes and credentials, and its remedy. */
export const keyStoreSays = (problem: KeyStoreProblem): string =>
  `${keepsFromSealing(problem) ? 'Nothing new is stored, and changes of mapped accounts wait.' : 'Changes go on, but some stored credentials cannot be read.'} ${keyStoreProblems[problem]}`;

/** Whether the text is a problem that this release knows: a newer worker may report others. */
export const isKeyStoreProblem = (text: string): text is KeyStoreProblem =>
  Object.hasOwn(keyStoreProblems, text);
