import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { firstCapable, NoneCapable, type Source } from './candidates';
import { onDebian, type Report, unpackedDebs } from './debian';
import { librariesIn, serverEnvironment } from './server-setup';

const run = promisify(execFile);

/** slapd with what belongs to it. */
export interface SlapdProgram {
  readonly slapd: string;
  readonly schemaDir: string;
  readonly moduleDir: string;
  readonly env: NodeJS.ProcessEnv;
}

/** A program that has every module which was asked for. */
export interface CapableSlapd extends SlapdProgram {
  /** The files to load. A module that is built into the program has none. */
  readonly moduleFiles: readonly string[];
}

/** What every directory of ours needs. */
const NEEDED = ['back_mdb', 'ppolicy'] as const;
export const schemas = ['core', 'cosine', 'inetorgperson'] as const;

/**
 * An installed slapd that has all of these modules, or the one of Debian's packages, unpacked into the cache.
 * @param modules besides those that every directory needs, such as `argon2`
 * @throws Error that names what each slapd lacks, and what to install
 */
export async function findSlapd(
  report: Report,
  modules: readonly string[] = [],
): Promise<CapableSlapd> {
  const wanted = [...new Set([...NEEDED, ...modules])];
  const nameOf = ({ slapd, moduleDir }: SlapdProgram) => `${slapd} with ${moduleDir}`;
  const flawOf = (program: SlapdProgram) => slapdFlaw(program, wanted);
  try {
    const program = await firstCapable([installed, fetched], nameOf, flawOf, report);
    return { ...program, moduleFiles: filesOf(wanted, await builtInto(program)) };
  } catch (error) {
    if (!(error instanceof NoneCapable)) throw error;
    throw new Error(
      [
        `No slapd with the modules ${wanted.join(', ')}. Install OpenLDAP 2.5 or newer with them`,
        '(Debian: slapd and slapd-contrib; Fedora: openldap-servers). What was tried:',
        ...error.reasons.map((line) => `  ${line}`),
      ].join('\n'),
    );
  }
}

/** What a slapd lacks, or null. slapd itself loads the modules: a file alone may need a library that is missing. */
export async function slapdFlaw(
  program: SlapdProgram,
  wanted: readonly string[],
): Promise<string | null> {
  const { slapd, schemaDir, moduleDir, env } = program;
  if (slapd === APPARMOR.program && existsSync(APPARMOR.profile))
    return 'is confined by AppArmor to the folders of the system service';
  const schema = schemas.find((name) => !existsSync(path.join(schemaDir, `${name}.schema`)));
  if (schema !== undefined) return `lacks the schema ${schema} in ${schemaDir}`;
  const version = /slapd (\d+)\.(\d+)/.exec(await selfDescription(program));
  if (version === null) return 'does not run, or is no OpenLDAP server';
  if (Number(version[1]) === 2 && Number(version[2]) < 5) return `is ${version[0]}, older than 2.5`;
  const files = filesOf(wanted, await builtInto(program));
  const missing = files.filter((file) => !existsSync(path.join(moduleDir, file)));
  if (missing.length > 0) return `lacks ${missing.join(', ')}`;
  return loadFailure(slapd, moduleDir, files, env);
}

/** Ubuntu's profile keeps an installed slapd out of every folder but those of the system service. */
const APPARMOR = { program: '/usr/sbin/slapd', profile: '/etc/apparmor.d/usr.sbin.slapd' };

/** The suffix matters: without it slapd would look for a module of the system, which may be of another version. */
const filesOf = (modules: readonly string[], builtIn: ReadonlySet<string>): string[] =>
  modules.filter((name) => !builtIn.has(name.replace(/^back_/, ''))).map((name) => `${name}.so`);

/** Names of the backends and overlays in the program, which it lists one in an indented line. */
async function builtInto(program: SlapdProgram): Promise<ReadonlySet<string>> {
  const lists = (await selfDescription(program)).split(/^Included static /m).slice(1);
  return new Set(lists.flatMap((list) => list.match(/(?<=^\s+)\S+$/gm) ?? []));
}

/** slapd(8): -VVV prints the version and what is built in, and ends. */
const selfDescription = async ({ slapd, env }: SlapdProgram): Promise<string> => {
  const printed = await run(slapd, ['-VVV'], { env }).catch(() => ({ stdout: '', stderr: '' }));
  return `${printed.stdout}${printed.stderr}`;
};

async function loadFailure(
  slapd: string,
  moduleDir: string,
  files: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<string | null> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'lockstep-slapd-'));
  const configFile = path.join(dir, 'slapd.conf');
  const lines = [`modulepath ${quoted(moduleDir)}`, ...files.map((file) => `moduleload ${file}`)];
  writeFileSync(configFile, `${lines.join('\n')}\n`);
  try {
    await run(slapd, ['-T', 'test', '-u', '-f', configFile], { env });
    return null;
  } catch (error) {
    const printed = (error as { stderr?: string }).stderr?.trim() || String(error);
    return `cannot load ${files.join(', ')}: ${printed.split('\n').join('; ')}`;
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** slapd.conf(5): quotes keep blanks together, a backslash keeps the next character. */
export const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;

const INSTALLED = ['/usr/sbin/slapd', '/usr/libexec/slapd', '/usr/lib/slapd', '/usr/bin/slapd'];
const SCHEMA_DIRS = ['/etc/ldap/schema', '/etc/openldap/schema'];
const MODULE_DIRS = ['/usr/lib/ldap', '/usr/lib64/openldap', '/usr/lib/openldap'];

const installed: Source<SlapdProgram> = async () => {
  const [programs = [], [schemaDir] = [], moduleDirs = []] = [
    INSTALLED,
    SCHEMA_DIRS,
    MODULE_DIRS,
  ].map((files) => files.filter((file) => existsSync(file)));
  if (schemaDir === undefined) return [];
  const env = serverEnvironment(null);
  return programs.flatMap((slapd) =>
    moduleDirs.map((moduleDir) => ({ slapd, schemaDir, moduleDir, env })),
  );
};

const PACKAGES = [
  ...['slapd', 'libltdl7', 'libwrap0', 'libnsl2', 'libsasl2-2', 'libsasl2-modules-db'],
  // Modules that check hashes, and the library of one of them.
  ...['slapd-contrib', 'libargon2-1'],
];
/** From Debian 13 and Ubuntu 24.04 on, libraries have other names. */
const OLDER = ['libldap-2.5-0', 'libtirpc3', 'libnettle8'];
const NEWER = ['libldap2', 'libtirpc3t64', 'libnettle8t64'];

const fetched: Source<SlapdProgram> = async (report) => {
  if (!onDebian()) return [];
  const root = await unpackedDebs('slapd', [...PACKAGES, ...OLDER], report).catch((error) =>
    unpackedDebs('slapd', [...PACKAGES, ...NEWER], report).catch(() => {
      throw error;
    }),
  );
  return [
    {
      slapd: path.join(root, 'usr', 'sbin', 'slapd'),
      schemaDir: path.join(root, 'etc', 'ldap', 'schema'),
      moduleDir: path.join(root, 'usr', 'lib', 'ldap'),
      env: serverEnvironment(librariesIn(root)),
    },
  ];
};
