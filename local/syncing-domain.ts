import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Secret } from '../model/passwords/secret';
import type { Report } from './debian';
import { administerDomain, type DomainAdmin } from './domain-admin';
import { type RunningServer, startServer } from './processes';
import {
  freeLoopback,
  installSamba,
  PYTHON,
  type Samba,
  sambaEnvironment,
  startSamba,
} from './samba';

export interface ReaderOptions {
  /** The socket of a relay that listens already. */
  readonly socket: string;
  /** Passwords of accounts whose names begin with it are submitted. */
  readonly names: string;
  /** Submits hashes, which the domain makes when a password is set, in place of passwords. */
  readonly hashed?: boolean;
}

/** A Samba domain whose passwords readers submit to a relay, set up as in the docs. */
export interface SyncingDomain {
  readonly samba: Samba;
  readonly admin: DomainAdmin;
  /** A file with the password of the administrator. */
  readonly secretFile: string;
  /** @returns the DN of the account of a person */
  dnOf(person: string): string;
  /** Resolves when the reader has submitted the passwords that exist already. */
  startReader(options: ReaderOptions): Promise<RunningServer>;
  stop(): Promise<void>;
}

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
  return {
    ...{ samba, admin, secretFile },
    dnOf: (person) => `CN=${person},${unit}`,
    startReader: (options) => startReader(dir, options, { ...sambaEnvironment(), ...env }),
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
  gpg('--quick-gen-key', 'lockstep', 'future-default', 'default', 'never');
  const listed = gpg('--list-keys', '--with-colons');
  return /^fpr:+([0-9A-F]+):/m.exec(listed)?.[1]?.slice(-16) ?? '';
}

const READER = path.resolve('capture/shims/samba/reader/main.py');

function startReader(
  dir: string,
  { socket, names, hashed = false }: ReaderOptions,
  env: NodeJS.ProcessEnv,
): Promise<RunningServer> {
  const folder = mkdtempSync(path.join(dir, 'reader-'));
  const logFile = path.join(folder, 'reader.log');
  return startServer({
    name: 'the reader of the Samba domain',
    command: PYTHON,
    args: [
      ...['-B', READER, '-s', path.join(dir, 'dc/smb.conf'), '--socket', socket],
      ...['--cursor', path.join(folder, 'cursor.json')],
      ...['--filter', `(sAMAccountName=${names}*)`, ...(hashed ? ['--hash', 'sha512-crypt'] : [])],
    ],
    env,
    logFile,
    stopSignal: 'SIGTERM',
    listeners: [],
    ready: async () => readFileSync(logFile, 'utf8').includes('passwords handed over'),
    readyTimeoutMs: 60_000,
  });
}
