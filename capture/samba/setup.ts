import { mkdirSync, statSync } from 'node:fs';
import { Misconfigured } from '../../config';
import { type Conduct, configure } from './configure';
import type { Domain } from './domain';
import { type Key, makeKey } from './gpg';
import { daemonCommand, initialise, installScript, type Sync, scriptIn, unitOf } from './service';
import { neededConf, type Plan } from './setup-steps';
import { inPath, runTool } from './tools';

/** What has to go on from now, or why everything is as it was. */
export type SambaSetUp =
  | {
      readonly state: 'ready';
      readonly key: string | null;
      readonly script: string;
      readonly command: readonly string[];
      readonly gnupgHome: string | null;
      readonly unit: string;
      /** Other domain controllers, which have to keep passwords, too. */
      readonly others: number;
    }
  | { readonly state: 'undone'; readonly says: readonly string[] };

/**
 * Has a domain controller keep passwords, proves by the change of a test account that the domain bears it and that they can
 * be handed over, and only then sets up what does so. Everything that is so already is left alone.
 * @throws Misconfigured, with what to put right; smb.conf is untouched then
 */
export async function setUpSamba(plan: Plan, conduct: Conduct): Promise<SambaSetUp> {
  const { wish, tools, domain, facts, installed, initialised } = plan;
  const key = await keyOf(plan, conduct);
  makeFolder(wish.dir);
  const script = scriptIn(wish.dir);
  if (installed) conduct.report(`${script} is there already.`);
  else conduct.report(`Wrote ${installScript(wish.dir, wish.socket)}.`);
  const account = wish.account ?? CANARY;
  const cage = { ...wish, tools, domain, facts, account, make: wish.account === null };
  try {
    const undone = await configure(plan.smbConf, cage, neededConf(plan, key), conduct);
    if (undone !== null) return { state: 'undone', says: undone };
  } finally {
    if (cage.make) await removeCanary(domain, conduct);
  }
  const sync: Sync = { tools, facts, form: wish.form, script, cache: facts.cache };
  if (initialised) conduct.report('samba-tool was told before what to hand over.');
  else {
    await initialise(sync);
    conduct.report('Told samba-tool what to hand over.');
  }
  const gnupgHome = key === null ? null : await homeOfGpg();
  return {
    ...({ state: 'ready', script, gnupgHome } as const),
    key: key?.fingerprint ?? null,
    command: daemonCommand(sync),
    unit: unitOf(sync, gnupgHome),
    others: (await domain.controllers()) - 1,
  };
}

const CANARY = 'lockstep-canary';

/** That it stays is no reason to hide how the rest went. */
const removeCanary = (domain: Domain, { report }: Conduct): Promise<void> =>
  domain.remove(CANARY).catch(() => report(`The account ${CANARY} is still there: delete it.`));

const WRITABLE_BY_OTHERS = 0o022;

/** What lies there is run as root. */
function makeFolder(dir: string): void {
  mkdirSync(dir, { recursive: true, mode: 0o755 });
  const { uid, mode } = statSync(dir);
  if (uid !== 0 || (mode & WRITABLE_BY_OTHERS) !== 0)
    throw new Misconfigured(
      `Others than root may write to ${dir}, and the script there is run as root: choose another folder with --dir`,
    );
}

async function keyOf({ wish, tools, key }: Plan, { report }: Conduct): Promise<Key | null> {
  if (wish.form !== 'plaintext' || tools.gpg === null) return null;
  if (key === null) {
    const made = await makeKey(tools.gpg);
    report(`Made the key ${made.fingerprint}.`);
    return made;
  }
  report(`The key is ${key.fingerprint}.`);
  return key;
}

/** Where the daemon will look for the key: the unit of a service does not have the environment of this shell. */
async function homeOfGpg(): Promise<string | null> {
  const gpgconf = inPath('gpgconf');
  if (gpgconf === null) return null;
  const ran = await runTool(gpgconf, ['--list-dirs', 'homedir']);
  return ran.stdout.trim() || null;
}
