import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { inheritedEnvironment } from '../../config';
import { type Report, unpackedDebs } from '../../local/debian';
import { administerDomain, type DomainAdmin } from '../../local/domain-admin';
import { type RunningServer, startServer } from '../../local/processes';
import { freeLoopback, installSamba, type Samba, startSamba } from '../../local/samba';
import { Secret } from '../../model/secret';

const run = promisify(execFile);

/** A Samba domain of which `samba-tool user syncpasswords` hands passwords over, as the docs set it up by hand. */
export interface BenchDomain {
  readonly samba: Samba;
  readonly admin: DomainAdmin;
  /** Holds the password of the administrator. */
  readonly secretFile: string;
  /** DN of the account of a person. */
  dnOf(person: string): string;
  /** Once a relay listens there. */
  startSync(socket: string): Promise<RunningServer>;
  stop(): Promise<void>;
}

const ATTRIBUTES = [
  ...['objectGUID', 'sAMAccountName', 'userAccountControl', 'pwdLastSet'],
  ...['msDS-KeyVersionNumber', 'virtualClearTextUTF8'],
];
const FIRST = 'The first one, which is told to nobody 1';

/** @throws Error where a domain, or gpg, cannot be had */
export async function startBenchDomain(
  people: readonly string[],
  report: Report,
): Promise<BenchDomain> {
  await installSamba(report);
  // Short: below are sockets.
  const dir = mkdtempSync(path.join(os.tmpdir(), 'ls-'));
  const [place, gnupg] = [path.join(dir, 'dc'), path.join(dir, 'gnupg')];
  const env = { GNUPGHOME: gnupg };
  const samba = await startSamba({
    ...{ dir: place, address: await freeLoopback(), realm: 'bench.lockstep.test', env },
    settings: [`password hash gpg key ids = ${makeKey(gnupg)}`],
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
    startSync: (socket) =>
      startSync(dir, socket, { ...inheritedEnvironment(), ...env, PYTHONPATH: python }),
    async stop() {
      await admin.close();
      await samba.stop();
      execFileSync('gpgconf', ['--homedir', gnupg, '--kill', 'all']);
      rmSync(dir, { recursive: true });
    },
  };
}

/** @returns the end of its fingerprint */
function makeKey(home: string): string {
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
  socket: string,
  env: NodeJS.ProcessEnv,
): Promise<RunningServer> {
  const script = path.join(dir, 'lockstep-samba.py');
  copyFileSync(path.resolve('capture/shims/samba/lockstep-samba.py'), script);
  chmodSync(script, 0o755);
  writeFileSync(path.join(dir, 'socket'), `${socket}\n`);
  const ldapi = encodeURIComponent(path.join(dir, 'dc/private/ldap_priv/ldapi'));
  const sync = [
    ...['user', 'syncpasswords', `--cache-ldb=${path.join(dir, 'cache.ldb')}`],
    ...['-s', path.join(dir, 'dc/smb.conf')],
  ];
  await run(
    'samba-tool',
    [
      ...[...sync, '--cache-ldb-initialize', '--decrypt-samba-gpg', `--script=${script}`],
      ...[`--attributes=${ATTRIBUTES.join(',')}`, '-H', `ldapi://${ldapi}`],
      '--filter=(&(objectClass=user)(sAMAccountName=person-*))',
    ],
    { env },
  );
  // What there is is told first, which is nobody's yet.
  await run('samba-tool', [...sync, '--no-wait'], { env });
  return startServer({
    name: 'samba-tool user syncpasswords',
    ...{ command: 'samba-tool', args: sync, env },
    logFile: path.join(dir, 'sync.log'),
    stopSignal: 'SIGTERM',
    ready: async () => true,
  });
}
