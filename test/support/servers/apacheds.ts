import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { Attribute, Change, Client } from 'ldapts';
import { inheritedEnvironment } from '../../../config';
import { certificatesIn } from '../../../local/certificates';
import { jarFromMaven } from '../../../local/jars';
import { loopback, onFreePort } from '../../../local/ports';
import { type RunningServer, startServer } from '../../../local/processes';
import { giveToServer, openServerDir, serverEnvironment } from '../../../local/server-setup';
import { CannotBeHad, type ServerStarter } from '../servers';

const run = promisify(execFile);

const SERVICE = {
  group: 'org.apache.directory.server',
  artifact: 'apacheds-service',
  version: '2.0.0.AM27',
  sha256: '6c347801c8c504396e14b44749a9f79224ea1445665878a18bcc450f37d6a913',
};

/** Suffix of a partition in the configuration that the jar contains. */
export const apachedsSuffix = 'dc=example,dc=com';

export const apachedsAdminDn = 'uid=admin,ou=system';

/** Password of the administrator in the jar. It is replaced at once. */
const FIRST_PASSWORD = 'secret';

/**
 * ApacheDS. Facts: `url`, `port`, `caFile`, `otherCaFile`, and the passwords of `admin` and of `lockstep`, which may write
 * every entry of the partition, as every account may without access control.
 */
export const apacheds: ServerStarter = {
  name: 'apacheds',
  start: async (folder, report) => {
    const dir = openServerDir(folder);
    const jar = await jarWithTools(report).catch((error: Error) => {
      throw new CannotBeHad(error.message);
    });
    const keys = await keysIn(dir);
    const { server, port } = await onFreePort((free) => startIn(dir, jar, keys, free));
    const names = ['admin', 'lockstep'];
    const passwords = Object.fromEntries(
      names.map((name) => [name, `Service-${randomBytes(12).toString('base64url')}-1!`]),
    );
    const url = `ldaps://127.0.0.1:${port}`;
    await seed(url, keys.caFile, passwords);
    const other = await certificatesIn(path.join(dir, 'other-authority'));
    const files = { caFile: keys.caFile, otherCaFile: other.caFile };
    return { facts: { url, port: String(port), ...files, ...passwords }, stop: server.stop };
  },
};

async function jarWithTools(report: (line: string) => void): Promise<string> {
  for (const [program, ...args] of [
    ['java', '-version'],
    ['jar', '--version'],
    ['keytool', '-help'],
  ])
    await run(program ?? '', args, { env: inheritedEnvironment() }).catch(() => {
      throw new Error(`${program} of a JDK is needed; install OpenJDK`);
    });
  return jarFromMaven(SERVICE, report);
}

interface Keys {
  readonly caFile: string;
  readonly storeFile: string;
  readonly storePassword: string;
}

/** A key with a certificate that it has signed itself, in the form that Java reads. */
async function keysIn(dir: string): Promise<Keys> {
  const [storeFile, caFile] = [path.join(dir, 'keys.p12'), path.join(dir, 'ca.crt')];
  const storePassword = randomBytes(12).toString('hex');
  const store = ['-keystore', storeFile, '-storepass:env', 'STORE_PASSWORD', '-alias', 'server'];
  const env = { ...inheritedEnvironment(), STORE_PASSWORD: storePassword };
  const name = ['-dname', 'CN=localhost', '-ext', 'san=dns:localhost,ip:127.0.0.1'];
  const key = ['-keyalg', 'EC', '-groupname', 'secp256r1', '-validity', '3650'];
  await run('keytool', ['-genkeypair', ...store, ...key, ...name], { env });
  await run('keytool', ['-exportcert', '-rfc', '-file', caFile, ...store], { env });
  giveToServer(storeFile);
  return { caFile, storeFile, storePassword };
}

async function startIn(
  dir: string,
  jar: string,
  keys: Keys,
  port: number,
): Promise<{ server: RunningServer; port: number }> {
  const instance = path.join(dir, `instance-${port}`);
  for (const name of ['', 'conf', 'partitions', 'log', 'run', 'cache']) {
    mkdirSync(path.join(instance, name));
    giveToServer(path.join(instance, name));
  }
  const env = inheritedEnvironment();
  await run('jar', ['--extract', '--file', jar, 'config.ldif'], { cwd: dir, env });
  const given = readFileSync(path.join(dir, 'config.ldif'), 'utf8');
  const file = path.join(instance, 'conf', 'config.ldif');
  writeFileSync(file, configured(given, keys, port), { mode: 0o600 });
  giveToServer(file);
  const server = await startServer({
    name: 'ApacheDS',
    command: 'java',
    args: [
      ...['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:-UsePerfData'],
      ...['-jar', jar, instance, 'start'],
    ],
    env: { ...serverEnvironment(null), PATH: env.PATH },
    cwd: instance,
    logFile: path.join(dir, 'apacheds.log'),
    asNobody: true,
    stopSignal: 'SIGTERM',
    listeners: [{ ...loopback(port), proof: { by: 'certificate', caFile: keys.caFile } }],
    readyTimeoutMs: 60_000,
  });
  return { server, port };
}

/** The configuration of the jar, with LDAPS alone, on one port of loopback, and our certificate. */
function configured(ldif: string, { storeFile, storePassword }: Keys, port: number): string {
  const entries = ldif.split(/\n\n+/).map((entry) => {
    if (/^dn: ads-transportid=ldap,/m.test(entry))
      return entry.replace('ads-enabled: TRUE', 'ads-enabled: FALSE');
    if (/^dn: ads-transportid=ldaps,/m.test(entry))
      return entry.replace('10636', String(port)).replace('0.0.0.0', '127.0.0.1');
    if (/^dn: ads-serverId=ldapServer,/m.test(entry))
      return `${entry}\nads-keystoreFile: ${storeFile}\nads-certificatePassword: ${storePassword}`;
    // A lock for good looks like a disabled account, the history refuses the current password like an older one, and
    // without a maximum age the server does not record when a password was changed.
    return entry
      .replace('ads-pwdMaxAge: 0', 'ads-pwdMaxAge: 100000000')
      .replace('ads-pwdLockoutDuration: 0', 'ads-pwdLockoutDuration: 300')
      .replace('ads-pwdInHistory: 5', 'ads-pwdInHistory: 0');
  });
  return `${entries.join('\n\n')}\n`;
}

async function seed(
  url: string,
  caFile: string,
  { admin = '', lockstep = '' }: Readonly<Record<string, string>>,
): Promise<void> {
  const client = new Client({ url, tlsOptions: { ca: [readFileSync(caFile)] }, timeout: 50_000 });
  await client.bind(apachedsAdminDn, FIRST_PASSWORD);
  const modification = new Attribute({ type: 'userPassword', values: [admin] });
  await client.modify(apachedsAdminDn, new Change({ operation: 'replace', modification }));
  for (const ou of ['people', 'services'])
    await client.add(`ou=${ou},${apachedsSuffix}`, { objectClass: 'organizationalUnit', ou });
  await client.add(`cn=lockstep,ou=services,${apachedsSuffix}`, {
    objectClass: ['organizationalRole', 'simpleSecurityObject'],
    ...{ cn: 'lockstep', userPassword: lockstep },
  });
  await client.unbind();
}
