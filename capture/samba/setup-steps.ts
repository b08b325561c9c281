import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { Misconfigured } from '../../config';
import { type Domain, type DomainFacts, openDomain } from './domain';
import { attributesOf, needs, type SambaForm } from './form';
import { idOf, isKey, type Key, madeBefore, ownKeys, publicKey } from './gpg';
import { isInstalled, scriptIn } from './service';
import { withWord, wordsOf } from './smb-conf';
import type { Tools } from './tools';

export interface SambaSetup {
  /** The socket of the relay. */
  readonly socket: string;
  /** Null: the one that Samba was built with. */
  readonly smbConf: string | null;
  readonly form: SambaForm;
  /** Fingerprint of the key to encrypt to, or its last 16 digits; null: one of ours. */
  readonly key: string | null;
  /** The test account; null: one is made, and taken away again. */
  readonly account: string | null;
  /** Where the script goes. */
  readonly dir: string;
}

/** What is there, and what is not yet. */
export interface Plan {
  readonly wish: SambaSetup;
  readonly tools: Tools;
  readonly domain: Domain;
  readonly facts: DomainFacts;
  /** Null: it is not made yet, or hashes need none. */
  readonly key: Key | null;
  /** smb.conf itself, where its name is a link. */
  readonly smbConf: string;
  readonly installed: boolean;
  readonly initialised: boolean;
}

/**
 * Looks at everything and touches nothing.
 * @throws Misconfigured, with what to put right, where it cannot go well
 */
export async function planSamba(tools: Tools, wish: SambaSetup): Promise<Plan> {
  refuseAccount(wish.account);
  if (wish.smbConf !== null && !existsSync(wish.smbConf))
    throw new Misconfigured(`There is no ${wish.smbConf}`);
  const domain = openDomain(tools, wish.smbConf);
  const facts = await domain.facts();
  if (facts.serverRole !== 'ROLE_ACTIVE_DIRECTORY_DC')
    throw new Misconfigured(
      `${facts.smbConf} is not of a domain controller: run it on one, or name its file with --smb-conf`,
    );
  return {
    ...{ wish, tools, domain, facts },
    key: wish.form === 'plaintext' ? await keyFor(wish, tools, facts) : null,
    smbConf: realpathSync(facts.smbConf),
    installed: isInstalled(wish.dir, wish.socket),
    initialised: await isInitialised(wish, domain, facts),
  };
}

const SETTINGS = {
  key: 'password hash gpg key ids',
  scheme: 'password hash userPassword schemes',
} as const;

/**
 * @param key null: one that is made later, and so is in no smb.conf
 * @returns smb.conf with what the domain needs: the same text where it has that
 */
export function neededConf({ wish, facts, smbConf }: Plan, key: Key | null): string {
  const text = readFileSync(smbConf, 'utf8');
  const { scheme } = needs[wish.form];
  const [setting, there] =
    scheme === null
      ? ([SETTINGS.key, facts.gpgKeyIds] as const)
      : ([SETTINGS.scheme, facts.hashSchemes] as const);
  const has = (word: string) =>
    scheme === null ? key !== null && isKey(word, key) : isSameScheme(word, scheme);
  if (there.some(has)) return text;
  const word = scheme ?? (key === null ? NEW_KEY : idOf(key));
  if (there.length > 0 && wordsOf(text, setting) === null)
    throw new Misconfigured(
      `A file that ${smbConf} includes has "${setting}": add ${word} to it there, restart Samba, and run this again`,
    );
  return withWord(text, setting, word);
}

/** In place of a key that a dry run does not make. */
const NEW_KEY = '(the new key)';

/** Whatever its rounds. */
function isSameScheme(word: string, scheme: string): boolean {
  const [one, other] = [word, scheme].map((text) => text.split(':')[0]?.toLowerCase());
  return one === other;
}

async function keyFor(
  { key: wanted }: SambaSetup,
  { gpg }: Tools,
  { gpgKeyIds, readsGpg }: DomainFacts,
): Promise<Key | null> {
  if (gpg === null) throw new Misconfigured('There is no gpg here: install GnuPG (package gnupg)');
  if (!readsGpg)
    throw new Misconfigured(
      'The Python of samba-tool has no module gpg, so it could decrypt nothing: install python3-gpg',
    );
  for (const id of gpgKeyIds)
    refuseKey(id, await publicKey(gpg, id), 'smb.conf names', 'take it out of smb.conf');
  const own = await ownKeys(gpg);
  if (wanted === null) {
    const configured = own.find((key) => gpgKeyIds.some((id) => isKey(id, key)));
    return configured ?? madeBefore(own) ?? null;
  }
  const key = own.find((one) => isKey(wanted, one)) ?? null;
  refuseKey(wanted, key, 'You named', 'name another, or none, and one is made');
  return key;
}

/** Samba encrypts to every key of smb.conf, and refuses the password when it cannot. */
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

async function isInitialised(
  { form, dir }: SambaSetup,
  domain: Domain,
  { cache }: DomainFacts,
): Promise<boolean> {
  const told = await domain.told();
  if (told === null) return false;
  const same =
    told.script === scriptIn(dir) &&
    told.decrypts === (form === 'plaintext') &&
    (form === 'plaintext' || !told.attributes.includes(needs.plaintext.attribute)) &&
    attributesOf(form).every((name) => told.attributes.includes(name));
  if (same) return true;
  throw new Misconfigured(
    `samba-tool was told already to run ${told.script} with ${told.attributes.join(', ')}. To have it otherwise, stop ` +
      `"samba-tool user syncpasswords", move ${cache} away, and run this again: then every account is told once more`,
  );
}

/** It goes into a filter and a DN; what is left out may not be in a sAMAccountName, or is better not (MS-SAMR §3.1.1.6). */
function refuseAccount(account: string | null): void {
  if (account !== null && !/^[^"\\/[\]:;|=,+*?<>()#&!\s\p{C}]{1,20}$/u.test(account))
    throw new Misconfigured('--account takes a sAMAccountName without special characters');
}
