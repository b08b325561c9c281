import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { Secret } from '../model/passwords/secret';
import { type Report, unpackedDebs } from './debian';
import { administerDomain, type DomainAdmin } from './domain-admin';
import { type SupervisedProcess, supervise } from './node-process';
import { startServer } from './processes';
import {
  freeLoopback,
  installSamba,
  SAMBA_TOOL,
  type Samba,
  sambaEnvironment,
  startSamba,
} from './samba';

const run = promisify(execFile);

export interface SyncOptions {
  /** The socket of a relay that listens already. */
  readonly socket: string;
  /** Passwords of accounts whose names begin with it are submitted. */
  readonly names: string;
  /** Submits hashes, which the domain makes when a password is set, in place of passwords. */
  readonly hashed?: boolean;
}

/** A Samba domain whose `samba-tool user syncpasswords` submits passwords to a relay, set up as in the docs. */
export interface SyncingDomain {
  readonly samba: Samba;
  readonly admin: DomainAdmin;
  /** A file with the password of the administrator. */
  readonly secretFile: string;
  /** @returns the DN of the account of a person */
  dnOf(person: string): string;
  startSync(options: SyncOptions): Promise<SupervisedProcess>;
  stop(): Promise<void>;
}

const ATTRIBUTES = 'objectGUID,sAMAccountName,userAccountControl,pwdLastSet,msDS-KeyVersionNumber';
const FIRST = 'The first one, which no relay submits 1';

/** @throws Error when Samba or gpg is not available */
export async function startSyncingDomain(
  people: readonly string[],
  report: Report,
): Promise<SyncingDomain> {
  await installSamba(report);
  // A short path, because sockets are below it.
  const dir = mkdtempSync(path.join(os.tmpdir(), 'ls-'));
  const [place, gnupg] = [path.join(dir, 'dc'), path.join(dir, 'gnupg')];
  const env = { GNUPGHOME: gnupg };
  const samba = await startSamba({
    ...{ dir: place, address: await freeLoopback(), realm: 'told.lockstep.test', env },
    settings: [
      `password hash gpg key ids = ${makeKey(gnupg)}`,
      'password hash userPassword schemes = CryptSHA512',
    ],
  });
  const admin = await administerDomain(samba, place);
  const unit = await admin.addUnit('people');
  for (const person of people) await admin.addUser(unit, person, Secret.fromText(FIRST));
  const secretFile = path.join(dir, 'administrator');
  const password = samba.adminPassword();
  password.use((bytes) => writeFileSync(secretFile, bytes, { mode: 0o600 }));
  password.destroy();
  const unpacked = await unpackedDebs('python3-gpg', ['python3-gpg'], report);
  const python = path.join(unpacked, 'usr/lib/python3/dist-packages');
  return {
    ...{ samba, admin, secretFile },
    dnOf: (person) => `CN=${person},${unit}`,
    startSync: (options) =>
      startSync(dir, options, { ...sambaEnvironment(), ...env, PYTHONPATH: python }),
    async stop() {
      await admin.close();
      await samba.stop();
      execFileSync('gpgconf', ['--homedir', gnupg, '--kill', 'all']);
      rmSync(dir, { recursive: true });
    },
  };
}

/**
 * Makes a key that encrypts, without a passphrase. With a key that only signs, every password change of the domain fails.
 * @param home a folder that is made
 * @returns the end of its fingerprint, for smb.conf
 */
export function makeKey(home: string): string {
  mkdirSync(home, { mode: 0o700 });
  const gpg = (...args: string[]) =>
    execFileSync(
      'gpg',
      ['--homedir', home, '--batch', '--pinentry-mode', 'loopback', '--passphrase', '', ...args],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    ).toString();
  gpg('--quick-gen-key', 'lockstep', 'default', 'default', 'never');
  const listed = gpg('--list-keys', '--with-colons');
  return /^fpr:+([0-9A-F]+):/m.exec(listed)?.[1]?.slice(-16) ?? '';
}

async function startSync(
  dir: string,
  { socket, names, hashed = false }: SyncOptions,
  env: NodeJS.ProcessEnv,
): Promise<SupervisedProcess> {
  const folder = mkdtempSync(path.join(dir, 'sync-'));
  const script = path.join(folder, 'lockstep-samba.py');
  copyFileSync(path.resolve('capture/shims/samba/lockstep-samba.py'), script);
  chmodSync(script, 0o755);
  writeFileSync(path.join(folder, 'socket'), `${socket}\n`);
  const ldapi = encodeURIComponent(path.join(dir, 'dc/private/ldap_priv/ldapi'));
  const sync = [
    ...['user', 'syncpasswords', `--cache-ldb=${path.join(folder, 'cache.ldb')}`],
    ...['-s', path.join(dir, 'dc/smb.conf')],
  ];
  const password = hashed ? 'virtualCryptSHA512' : 'virtualClearTextUTF8';
  await run(
    SAMBA_TOOL,
    [
      ...[...sync, '--cache-ldb-initialize', `--script=${script}`, '-H', `ldapi://${ldapi}`],
      ...(hashed ? [] : ['--decrypt-samba-gpg']),
      ...[`--attributes=${ATTRIBUTES},${password}`],
      `--filter=(&(objectClass=user)(sAMAccountName=${names}*))`,
    ],
    { env },
  );
  // The first run submits all existing accounts, none of which is linked yet.
  await run(SAMBA_TOOL, [...sync, '--no-wait'], { env });
  const name = 'samba-tool user syncpasswords';
  // It ends when the script could not submit a password, and submits it again after its next start.
  return supervise(name, () =>
    startServer({
      ...{ name, command: SAMBA_TOOL, args: sync, env },
      logFile: path.join(folder, 'sync.log'),
      stopSignal: 'SIGTERM',
      listeners: [],
    }),
  );
}
