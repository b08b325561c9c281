import { Misconfigured } from '../../config';
import { lastLine, runTool } from './tools';

/** A GnuPG key in the GNUPGHOME of the user of this process. Its private part never leaves that folder. */
export interface Key {
  readonly fingerprint: string;
  /** Its user ids. */
  readonly names: readonly string[];
  /** Whether it can encrypt, and is neither revoked nor expired. */
  readonly encrypts: boolean;
}

const NAME = 'Lockstep (passwords of the domain)';

/** Creates a key without a passphrase, because no operator is present to type one when a password changes. */
export async function makeKey(gpg: string): Promise<Key> {
  const before = (await ownKeys(gpg)).map(({ fingerprint }) => fingerprint);
  // This algorithm adds a subkey for encryption; a key of a named algorithm could only sign. It is an elliptic curve: the
  // default of GnuPG 2.2 is RSA, which takes 15 times as long to decrypt each password.
  const made = await runTool(gpg, [
    ...['--batch', '--pinentry-mode', 'loopback', '--passphrase', ''],
    ...['--quick-gen-key', NAME, 'future-default', 'default', 'never'],
  ]);
  const key = (await ownKeys(gpg)).find(({ fingerprint }) => !before.includes(fingerprint));
  if (made.code !== 0 || key === undefined)
    throw new Misconfigured(`gpg failed to create a key: ${lastLine(made)}`);
  return key;
}

/** The keys of which the private part is in the key ring. */
export const ownKeys = (gpg: string): Promise<readonly Key[]> => keysOf(gpg, '--list-secret-keys');

/** The public key with an id; null if it is not in the key ring. */
export const publicKey = async (gpg: string, id: string): Promise<Key | null> =>
  (await keysOf(gpg, '--list-keys', id))[0] ?? null;

/** The newest key that an earlier run created. */
export const madeBefore = (keys: readonly Key[]): Key | undefined =>
  keys.findLast(({ names, encrypts }) => encrypts && names.includes(NAME));

const ID_DIGITS = 16;

/** Whether an id in smb.conf names the key. An id is the last 16 or more digits of the fingerprint. */
export const isKey = (id: string, { fingerprint }: Key): boolean =>
  id.length >= ID_DIGITS && fingerprint.endsWith(id.replace(/^0x/i, '').toUpperCase());

export const idOf = ({ fingerprint }: Key): string => fingerprint.slice(-ID_DIGITS);

/**
 * Lists keys and parses the output (doc/DETAILS of GnuPG): the second field is the validity, the twelfth holds the
 * capabilities of the whole key as capital letters.
 */
async function keysOf(gpg: string, ...args: readonly string[]): Promise<readonly Key[]> {
  const { stdout } = await runTool(gpg, ['--batch', '--with-colons', ...args]);
  return stdout.split(/^(?=sec:|pub:)/m).flatMap((key) => {
    const fieldsOf = (kind: string) =>
      key.split('\n').flatMap((line) => (line.startsWith(`${kind}:`) ? [line.split(':')] : []));
    const [head] = [...fieldsOf('sec'), ...fieldsOf('pub')];
    const fingerprint = fieldsOf('fpr')[0]?.[9];
    if (head === undefined || fingerprint === undefined) return [];
    const [, validity = '', able = ''] = [head[0], head[1], head[11]];
    const encrypts = able.includes('E') && !/[redin]/.test(validity);
    return [{ fingerprint, names: fieldsOf('uid').map((uid) => uid[9] ?? ''), encrypts }];
  });
}
