import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { Misconfigured } from '../../config';
import { configure, type SetupControls } from './configure';
import type { Domain } from './domain';
import { type Key, makeKey } from './gpg';
import { installReader, type ReaderOptions, readerCommand, readerIn, unitOf } from './reader';
import { neededConf, type Plan } from './setup-steps';
import { inPath, runTool } from './tools';

/** The result of a set-up: what has to run from now on, or why everything was undone. */
export type SambaSetUp =
  | {
      readonly state: 'ready';
      /** Fingerprint of the key; null if hashes are handed over. */
      readonly key: string | null;
      /** Folder of the installed reader. */
      readonly reader: string;
      /** Command that must keep running for passwords to be captured. */
      readonly command: readonly string[];
      /** GNUPGHOME of the key; null if there is no key. */
      readonly gnupgHome: string | null;
      /** Text of a systemd unit that runs the command. */
      readonly unit: string;
      /** Number of other domain controllers, which need the same set-up. */
      readonly others: number;
      /** Script of an older set-up, which samba-tool still runs and the reader replaces; null if there is none. */
      readonly replaces: string | null;
    }
  | { readonly state: 'undone'; readonly says: readonly string[] };

/**
 * Configures a domain controller to store passwords in a readable form. It changes the password of a test account to verify that
 * the domain still accepts changes and that they can be handed over. It is idempotent:
 * parts that are already right stay unchanged.
 * @throws Misconfigured with a message that says what to correct; smb.conf is unchanged in that case
 */
export async function setUpSamba(plan: Plan, controls: SetupControls): Promise<SambaSetUp> {
  const { wish, tools, domain, facts, installed } = plan;
  const key = await keyOf(plan, controls);
  makeFolder(wish.dir);
  const reader = readerIn(wish.dir);
  if (installed) controls.report(`The reader is already installed in ${reader}.`);
  else controls.report(`Installed the reader in ${installReader(wish.dir)}.`);
  const account = wish.account ?? CANARY;
  const canary = { ...wish, tools, domain, facts, account, make: wish.account === null };
  try {
    const undone = await configure(plan.smbConf, canary, neededConf(plan, key), controls);
    if (undone !== null) return { state: 'undone', says: undone };
  } finally {
    if (canary.make) await removeCanary(domain, controls);
  }
  const options: ReaderOptions = { ...wish, tools, smbConf: facts.smbConf };
  const gnupgHome = key === null ? null : await homeOfGpg();
  return {
    ...({ state: 'ready', reader, gnupgHome } as const),
    key: key?.fingerprint ?? null,
    command: readerCommand(options),
    unit: unitOf(options, gnupgHome),
    others: (await domain.controllers()) - 1,
    replaces: isOurs(facts.syncScript) ? facts.syncScript : null,
  };
}

/** Name of the script that earlier versions of Lockstep installed for samba-tool. */
const REPLACED_SCRIPT = 'lockstep-samba.py';

const isOurs = (script: string | null): boolean =>
  script !== null && path.basename(script) === REPLACED_SCRIPT;

const CANARY = 'lockstep-canary';

/** Deletes the test account. A failure is only reported, so that it does not hide the result of the set-up. */
const removeCanary = (domain: Domain, { report }: SetupControls): Promise<void> =>
  domain
    .remove(CANARY)
    .catch(() => report(`Could not delete the account ${CANARY}: delete it by hand.`));

const WRITABLE_BY_OTHERS = 0o022;

/** Creates the folder of the reader, which runs as root. @throws Misconfigured if others than root may write to it */
function makeFolder(dir: string): void {
  mkdirSync(dir, { recursive: true, mode: 0o755 });
  const { uid, mode } = statSync(dir);
  if (uid !== 0 || (mode & WRITABLE_BY_OTHERS) !== 0)
    throw new Misconfigured(
      `Users other than root may write to ${dir}, whose reader runs as root: choose another folder with --dir`,
    );
}

async function keyOf({ wish, tools, key }: Plan, { report }: SetupControls): Promise<Key | null> {
  if (wish.form !== 'plaintext' || tools.gpg === null) return null;
  if (key === null) {
    const made = await makeKey(tools.gpg);
    report(`Created the key ${made.fingerprint}.`);
    return made;
  }
  report(`The key is ${key.fingerprint}.`);
  return key;
}

/** The GNUPGHOME in which the reader must look for the key. A service does not inherit the environment of this shell. */
async function homeOfGpg(): Promise<string | null> {
  const gpgconf = inPath('gpgconf');
  if (gpgconf === null) return null;
  const ran = await runTool(gpgconf, ['--list-dirs', 'homedir']);
  return ran.stdout.trim() || null;
}
