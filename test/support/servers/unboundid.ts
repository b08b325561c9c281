import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'ldapts';
import { inheritedEnvironment } from '../../../config';
import { certificatesIn } from '../../../local/certificates';
import { jarFromMaven } from '../../../local/jars';
import { loopback, onFreePort } from '../../../local/ports';
import { type RunningServer, startServer } from '../../../local/processes';
import { giveToServer, openServerDir, serverEnvironment } from '../../../local/server-setup';
import { CannotBeHad, type ServerStarter, type StartedServer } from '../servers';

const run = promisify(execFile);

const SDK = {
  group: 'com.unboundid',
  artifact: 'unboundid-ldapsdk',
  version: '7.0.3',
  sha256: '7f1b9141f2c955d3a03b3f5da2c450bd616826e921a87fc19264a3f22b35e2fb',
};

const SOURCES = ['PingLike.java', 'Aes256Encoder.java'].map((name) =>
  path.resolve(__dirname, '..', 'unboundid', name),
);

export const unboundidSuffix = 'dc=ping,dc=test';

/** Service accounts, with the privileges of each. */
const services = {
  /** Has the rights that the docs recommend. */
  lockstep: ['password-reset', 'permit-verify-password-request'],
  /** May set passwords but not verify them. */
  writer: ['password-reset'],
  /** May read but not set a password. */
  reader: [],
} as const;

/**
 * The in-memory directory server of the UnboundID SDK, which stands for PingDirectory because that is not free. `PingLike.java`
 * adds the features of PingDirectory that the SDK documents. Facts: `url`, `port`, `caFile`, `otherCaFile`, and the passwords of
 * `admin` and of each service account.
 */
export const unboundid: ServerStarter = {
  name: 'unboundid',
  start: async (folder, report) => {
    const dir = openServerDir(folder);
    const jar = await compiled(dir, report).catch((error: Error) => {
      throw new CannotBeHad(error.message);
    });
    const { facts, stop } = await startUnboundid(dir, { jar, classes: classesIn(dir) });
    const other = await certificatesIn(path.join(dir, 'other-authority'));
    const programs = { jar, classes: classesIn(dir) };
    return { facts: { ...facts, ...programs, otherCaFile: other.caFile }, stop };
  },
};

/** Paths of its jar and its compiled classes. */
interface Programs {
  readonly jar: string;
  readonly classes: string;
}

/**
 * Starts a separate server with its own settings.
 * @param folder folder that the unix user `nobody` may enter if this process is root
 * @param settings further settings of `PingLike.java`
 */
export async function startUnboundid(
  folder: string,
  programs: Programs,
  settings: Readonly<Record<string, string | number>> = {},
): Promise<StartedServer> {
  const dir = openServerDir(folder);
  const names = ['admin', ...Object.keys(services)];
  const passwords = Object.fromEntries(
    names.map((name) => [name, randomBytes(12).toString('base64url')]),
  );
  const { admin: adminPassword = '' } = passwords;
  const { server, port, caFile } = await onFreePort((free) =>
    startPingLike(dir, programs, {
      ...{ adminPassword, port: free, suffix: unboundidSuffix },
      ...settings,
    }),
  );
  const url = `ldaps://127.0.0.1:${port}`;
  await seed(url, caFile, passwords);
  return { facts: { url, port: String(port), caFile, ...passwords }, stop: server.stop };
}

const OLDEST_JAVA = 17;

const classesIn = (dir: string) => path.join(dir, 'classes');

/** Compiles the Java sources. @returns the jar of the SDK */
async function compiled(dir: string, report: (line: string) => void): Promise<string> {
  const env = inheritedEnvironment();
  for (const program of ['javac', 'java']) {
    const { stdout, stderr } = await run(program, ['-version'], { env }).catch(() => ({
      stdout: '',
      stderr: '',
    }));
    const major = Number(/(?:javac |version ")(\d+)/.exec(`${stdout}${stderr}`)?.[1] ?? 0);
    if (major < OLDEST_JAVA)
      throw new Error(`${program} of a JDK ${OLDEST_JAVA} or newer is needed; install OpenJDK`);
  }
  const jar = await jarFromMaven(SDK, report);
  mkdirSync(classesIn(dir));
  // The java on the PATH may be of an older JDK than the javac.
  const release = ['--release', String(OLDEST_JAVA)];
  await run('javac', [...release, '-d', classesIn(dir), '-cp', jar, ...SOURCES], { env });
  return jar;
}

async function startPingLike(
  dir: string,
  { jar, classes }: Programs,
  wanted: { readonly port: number },
): Promise<{ server: RunningServer; port: number; caFile: string }> {
  const { caFile, certFile, keyFile } = await certificatesIn(path.join(dir, 'tls'));
  const settingsFile = path.join(dir, 'settings.json');
  writeFileSync(settingsFile, JSON.stringify({ ...wanted, certFile, keyFile }), { mode: 0o600 });
  for (const file of [settingsFile, keyFile]) giveToServer(file);
  const server = await startServer({
    name: 'the UnboundID in-memory directory server',
    command: 'java',
    args: [
      ...['-Xmx128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:-UsePerfData'],
      ...['-cp', [classes, jar].join(path.delimiter), 'PingLike', settingsFile],
    ],
    env: { ...serverEnvironment(null), PATH: inheritedEnvironment().PATH },
    logFile: path.join(dir, 'unboundid.log'),
    asNobody: true,
    stopSignal: 'SIGTERM',
    listeners: [{ ...loopback(wanted.port), proof: { by: 'certificate', caFile } }],
  });
  return { server, port: wanted.port, caFile };
}

async function seed(
  url: string,
  caFile: string,
  passwords: Readonly<Record<string, string>>,
): Promise<void> {
  const client = new Client({ url, tlsOptions: { ca: [readFileSync(caFile)] }, timeout: 50_000 });
  await client.bind('cn=Directory Manager', passwords.admin ?? '');
  await client.add(unboundidSuffix, { objectClass: ['top', 'domain'], dc: 'ping' });
  for (const ou of ['people', 'services'])
    await client.add(`ou=${ou},${unboundidSuffix}`, { objectClass: 'organizationalUnit', ou });
  for (const [name, privileges] of Object.entries(services))
    await client.add(`cn=${name},ou=services,${unboundidSuffix}`, {
      objectClass: 'applicationProcess',
      cn: name,
      userPassword: passwords[name] ?? '',
      ...(privileges.length === 0 ? {} : { 'ds-privilege-name': [...privileges] }),
    });
  await client.unbind();
}
