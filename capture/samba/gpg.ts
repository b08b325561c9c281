import { Misconfigured } from '../../config';
import { lastLine, runTool } from './tools';

/** Keys of GnuPG, in the GNUPGHOME of whoever runs this. No private part ever leaves it. */
export interface Key {
  readonly fingerprint: string;
  readonly names: readonly string[];
  readonly encrypts: boolean;
}

const NAME = 'Lockstep (passwords of the domain)';

/** Makes a key without a passphrase: nobody is there to type one when a password changes. */
export async function makeKey(gpg: string): Promise<Key> {
  const before = (await ownKeys(gpg)).map(({ fingerprint }) => fingerprint);
  // "default" encrypts, too; a key of a named algorithm would only sign.
  const made = await runTool(gpg, [
    ...['--batch', '--pinentry-mode', 'loopback', '--passphrase', ''],
    ...['--quick-gen-key', NAME, 'default', 'default', 'never'],
  ]);
  const key = (await ownKeys(gpg)).find(({ fingerprint }) => !before.includes(fingerprint));
  if (made.code !== 0 || key === undefined)
    throw new Misconfigured(`gpg made no key: ${lastLine(made)}`);
  return key;
}

/** Those whose private part is here. */
export const ownKeys = (gpg: string): Promise<readonly Key[]> => keysOf(gpg, '--list-secret-keys');

/** @returns null when it is not here */
export const publicKey = async (gpg: string, id: string): Promise<Key | null> =>
  (await keysOf(gpg, '--list-keys', id))[0] ?? null;

/** @returns the last of the keys that earlier runs made */
export const madeBefore = (keys: readonly Key[]): Key | undefined =>
  keys.findLast(({ names, encrypts }) => encrypts && names.includes(NAME));

const ID_DIGITS = 16;

/** smb.conf names keys by the last 16 digits of their fingerprint, or by more of them. */
export const isKey = (id: string, { fingerprint }: Key): boolean =>
  id.length >= ID_DIGITS && fingerprint.endsWith(id.replace(/^0x/i, '').toUpperCase());

export const idOf = ({ fingerprint }: Key): string => fingerprint.slice(-ID_DIGITS);

/** doc/DETAILS of GnuPG: the second field is the validity, the twelfth what the whole key can do, in capitals. */
async function keysOf(gpg: string, ...asked: readonly string[]): Promise<readonly Key[]> {
  const { stdout } = await runTool(gpg, ['--batch', '--with-colons', ...asked]);
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
