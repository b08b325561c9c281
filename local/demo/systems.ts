import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Secret } from '../../model/passwords/secret';
import type { Report } from '../debian';
import { secretsDir, serverDir } from '../places';
import { onPort } from '../ports';
import { type LocalPostgres, supervisePostgres } from '../postgres';
import { type Slapd, superviseSlapd } from '../slapd';
import { prepareDatabase } from './database';
import { demoDirectories, randomPassword } from './directories';
import { type DemoDomain, startDomain } from './domain';

/** The running systems of the demo company. */
export interface DemoSystems {
  readonly slapd: Slapd;
  /** The password of `cn=admin` in both directories. */
  readonly directoryAdmin: Secret;
  readonly postgres: LocalPostgres;
  /** For the superuser, in the database of the company. */
  readonly databaseUrl: string;
  readonly domain: DemoDomain | null;
  /** The files with the service passwords of Lockstep, by source. */
  readonly secretFiles: Readonly<Record<DemoSource, string>>;
  stop(): Promise<void>;
}

export type DemoSource = 'corp-directory' | 'apps-directory' | 'warehouse' | 'crm' | 'ad';

const LDAPS_PORT = 6636;

export async function startSystems(options: {
  readonly stateDir: string;
  /** The server of the store if we started it. The company uses a database of its own in it. */
  readonly postgres: LocalPostgres | null;
  readonly withDomain: boolean;
  readonly report: Report;
}): Promise<DemoSystems> {
  const { stateDir, report } = options;
  const secretFiles = openSecretFiles(secretsDir(stateDir), path.join(stateDir, 'demo', 'secrets'));
  const directoryAdmin = randomPassword();
  const secretOf = (source: DemoSource) => Secret.of(readFileSync(secretFiles[source]));
  const directories = demoDirectories(
    { service: secretOf('corp-directory'), admin: directoryAdmin },
    { service: secretOf('apps-directory'), admin: directoryAdmin },
  );
  const [slapd, database, domain] = await Promise.all([
    onPort(LDAPS_PORT, (port) =>
      superviseSlapd({ dir: serverDir(stateDir, 'slapd'), port, directories, report }),
    ),
    openDatabase(options, { warehouse: secretOf('warehouse'), crm: secretOf('crm') }),
    options.withDomain ? startDomain(stateDir, secretOf('ad'), report) : null,
  ]);
  return {
    slapd,
    directoryAdmin,
    postgres: database.server,
    databaseUrl: database.url,
    domain,
    secretFiles,
    async stop() {
      const ours = options.postgres === null ? [database.server] : [];
      await Promise.all(
        [slapd, ...ours, ...(domain === null ? [] : [domain])].map((one) => one.stop()),
      );
    },
  };
}

async function openDatabase(
  { stateDir, postgres, report }: Parameters<typeof startSystems>[0],
  secrets: Parameters<typeof prepareDatabase>[1],
): Promise<{ server: LocalPostgres; url: string }> {
  const server =
    postgres ?? (await supervisePostgres({ dir: serverDir(stateDir, 'demo-postgres'), report }));
  return { server, url: await prepareDatabase(server, secrets) };
}

const sources: readonly DemoSource[] = [
  'corp-directory',
  'apps-directory',
  'warehouse',
  'crm',
  'ad',
];

/**
 * One random password for each source, made once.
 * @param before the folder in which an earlier release kept them; its files are moved
 */
function openSecretFiles(dir: string, before: string): Record<DemoSource, string> {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const entries = sources.map((source) => {
    const file = path.join(dir, source);
    const old = path.join(before, source);
    if (existsSync(old) && !existsSync(file)) renameSync(old, file);
    // A domain also requires three kinds of characters.
    if (!existsSync(file))
      writeFileSync(file, `Aa1-${randomBytes(24).toString('base64url')}`, { mode: 0o600 });
    return [source, file] as const;
  });
  return Object.fromEntries(entries) as Record<DemoSource, string>;
}
