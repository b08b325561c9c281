import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { Misconfigured } from '../../config';
import { type Domain, type DomainFacts, openDomain } from './domain';
import { type SambaForm, schemeOf } from './form';
import { idOf, isKey, type Key, madeBefore, ownKeys, publicKey } from './gpg';
import { isInstalled } from './reader';
import { withWord, wordsOf } from './smb-conf';
import type { Tools } from './tools';

/** What the operator asks of a set-up. */
export interface SambaSetup {
  /** Socket of the relay. */
  readonly socket: string;
  /** Path of smb.conf; null for the one that Samba was built with. */
  readonly smbConf: string | null;
  readonly form: SambaForm;
  /** Fingerprint of the key to encrypt to, or its last 16 digits; null to use or create a key of Lockstep. */
  readonly key: string | null;
  /** Test account; null to create one and remove it at the end. */
  readonly account: string | null;
  /** Folder for the reader. */
  readonly dir: string;
}

/** The wish of the operator and the current state of the domain controller, from which the steps of a set-up follow. */
export interface Plan {
  readonly wish: SambaSetup;
  readonly tools: Tools;
  readonly domain: Domain;
  readonly facts: DomainFacts;
  /** The key to encrypt to; null if it is not created yet, or if hashes are handed over, which need none. */
  readonly key: Key | null;
  /** Path of smb.conf with symbolic links resolved. */
  readonly smbConf: string;
  /** Whether the current reader is installed. */
  readonly installed: boolean;
}

/**
 * Reads the state of the domain controller without changing it.
 * @throws Misconfigured with a message that says what to correct, if the set-up could not succeed
 */
export async function planSamba(tools: Tools, wish: SambaSetup): Promise<Plan> {
  refuseAccount(wish.account);
  if (wish.smbConf !== null && !existsSync(wish.smbConf))
    throw new Misconfigured(`${wish.smbConf} does not exist: correct --smb-conf`);
  const domain = openDomain(tools, wish.smbConf);
  const facts = await domain.facts();
  if (facts.serverRole !== 'ROLE_ACTIVE_DIRECTORY_DC')
    throw new Misconfigured(
      `${facts.smbConf} does not configure a domain controller: run this on one, or name its file with --smb-conf`,
    );
  return {
    ...{ wish, tools, domain, facts },
    key: wish.form === 'plaintext' ? await keyFor(wish, tools, facts) : null,
    smbConf: realpathSync(facts.smbConf),
    installed: isInstalled(wish.dir),
  };
}

const SETTINGS = {
  key: 'password hash gpg key ids',
  scheme: 'password hash userPassword schemes',
} as const;

/**
 * The text that smb.conf needs to have; unchanged if it already has the setting.
 * @param key null if the key is created later and so cannot be in smb.conf yet
 */
export function neededConf({ wish, facts, smbConf }: Plan, key: Key | null): string {
  const text = readFileSync(smbConf, 'utf8');
  const scheme = schemeOf[wish.form];
  const [setting, present] =
    scheme === null
      ? ([SETTINGS.key, facts.gpgKeyIds] as const)
      : ([SETTINGS.scheme, facts.hashSchemes] as const);
  const has = (word: string) =>
    scheme === null ? key !== null && isKey(word, key) : isSameScheme(word, scheme);
  if (present.some(has)) return text;
  const word = scheme ?? (key === null ? NEW_KEY : idOf(key));
  if (present.length > 0 && wordsOf(text, setting) === null)
    throw new Misconfigured(
      `A file that ${smbConf} includes sets "${setting}": add ${word} there, restart Samba, and run this again`,
    );
  return withWord(text, setting, word);
}

/** Stands for the id of a key that a dry run does not create. */
const NEW_KEY = '(the new key)';

/** Compares the names of two schemes and ignores their options, such as rounds. */
function isSameScheme(word: string, scheme: string): boolean {
  const [present, needed] = [word, scheme].map((text) => text.split(':')[0]?.toLowerCase());
  return present === needed;
}

async function keyFor(
  { key: wanted }: SambaSetup,
  { gpg }: Tools,
  { gpgKeyIds }: DomainFacts,
): Promise<Key | null> {
  if (gpg === null) throw new Misconfigured('gpg was not found: install GnuPG (package gnupg)');
  for (const id of gpgKeyIds)
    refuseKey(id, await publicKey(gpg, id), 'smb.conf names', 'remove it from smb.conf');
  const keys = await ownKeys(gpg);
  if (wanted === null) {
    const configured = keys.find((key) => gpgKeyIds.some((id) => isKey(id, key)));
    return configured ?? madeBefore(keys) ?? null;
  }
  const key = keys.find((candidate) => isKey(wanted, candidate)) ?? null;
  refuseKey(
    wanted,
    key,
    '--key names',
    'name another key, or omit --key to let Lockstep create one',
  );
  return key;
}

/**
 * Checks that a key can encrypt: Samba encrypts to every key in smb.conf and refuses the password change if it cannot.
 * @throws Misconfigured if it cannot
 */
function refuseKey(id: string, key: Key | null, who: string, instead: string): void {
  if (key?.encrypts === true) return;
  const why =
    key === null
      ? 'is not in the key ring of root (see GNUPGHOME)'
      : 'only signs, was revoked, or has expired';
  throw new Misconfigured(
    `${who} the key ${id}, which ${why}. With it, every password change of the domain fails: ${instead}`,
  );
}

/**
 * Rejects names with special characters, because the name becomes part of an LDAP filter and of a DN. Most of those characters
 * are not allowed in a sAMAccountName anyway (MS-SAMR §3.1.1.6).
 */
function refuseAccount(account: string | null): void {
  if (account !== null && !/^[^"\\/[\]:;|=,+*?<>()#&!\s\p{C}]{1,20}$/u.test(account))
    throw new Misconfigured('--account must be a sAMAccountName without special characters');
}
