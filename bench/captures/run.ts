import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Report } from '../../local/debian';
import { serviceDn } from '../../local/demo/directories';
import { secretsDir, serverDir } from '../../local/places';
import { freePort } from '../../local/ports';
import { startSlapd } from '../../local/slapd';
import { startStack } from '../../local/stack';
import { emptyStateDir } from '../../local/state-dir';
import { type SyncingDomain, startSyncingDomain } from '../../local/syncing-domain';
import { type Call, caller } from '../call';
import {
  type CaptureDirectories,
  captureDirectories,
  dnOf,
  people,
  type SourceName,
  suffixes,
} from './company';
import { type Effort, type Measured, measureOrigin } from './measure';
import { httpOrigin, openLdapOrigin, peopleOfDomain, sambaOrigin } from './origins';
import { startBenchRelay } from './relay';

/** Measures captures end to end: it starts directories, a Samba domain if possible, the stack and a relay for each source. */
export async function benchCaptures(
  effort: Effort,
  report: Report,
  interrupted: Promise<never>,
): Promise<readonly Measured[]> {
  mkdirSync('.lockstep', { recursive: true });
  const stateDir = mkdtempSync(path.resolve('.lockstep', 'bench-'));
  const folder = mkdtempSync(path.join(os.tmpdir(), 'lockstep-relay-'));
  chmodSync(folder, 0o755);
  const socketOf = (source: string) => path.join(folder, `${source}.sock`);
  const stops: (() => Promise<void>)[] = [];
  const opened = <Part extends { stop(): Promise<void> }>(part: Part): Part => {
    stops.push(() => part.stop());
    return part;
  };
  try {
    const company = captureDirectories(stateDir, folder, socketOf('corp'));
    const dir = serverDir(stateDir, 'slapd');
    const { directories } = company;
    const slapd = opened(await startSlapd({ dir, port: await freePort(), directories, report }));
    const domain = await domainIfAny(report);
    if (domain !== null) {
      opened(domain);
      copyFileSync(domain.secretFile, path.join(secretsDir(stateDir), DOMAIN_SECRET));
    }
    const { apiUrl, adminKeyFile } = opened(await startStack({ stateDir, report }));
    const call = caller(apiUrl, adminKeyFile);
    await configure(call, slapd, company.secretFiles, domain);
    for (const person of people) await addPerson(call, person, domain);
    const relay = async (source: 'corp' | 'domain') => {
      const relayDir = path.join(stateDir, `relay-${source}`);
      const socket = socketOf(source);
      opened(await startBenchRelay(call, { apiUrl, dir: relayDir, source, socket }));
    };
    await relay('corp');
    const origins = [httpOrigin(call), await openLdapOrigin(slapd, company.password)];
    if (domain !== null) {
      await relay('domain');
      opened(await domain.startReader({ socket: socketOf('domain'), names: 'person-' }));
      origins.push(sambaOrigin(domain));
    }
    const measured: Measured[] = [];
    for (const origin of origins)
      measured.push(await Promise.race([measureOrigin(origin, call, effort, report), interrupted]));
    for (const origin of origins) await origin.close();
    return measured;
  } finally {
    for (const stop of stops.reverse()) await stop();
    emptyStateDir(stateDir);
    for (const dir of [stateDir, folder]) rmSync(dir, { recursive: true });
  }
}

/** Starts a Samba domain; null if this machine cannot run one. */
const domainIfAny = (report: Report): Promise<SyncingDomain | null> =>
  startSyncingDomain(peopleOfDomain, report).catch((error: Error) => {
    report(`skipping the Samba domain: ${error.message}`);
    return null;
  });

async function configure(
  call: Call,
  { url, caFile }: { readonly url: string; readonly caFile: string },
  secretFiles: CaptureDirectories['secretFiles'],
  domain: SyncingDomain | null,
): Promise<void> {
  const { version } = (await call('GET', 'configuration')) as { version: number };
  const capture = { enabled: true, verifyCurrent: false };
  const directory = (name: SourceName, confirm: boolean) => ({
    kind: 'ldap',
    capture: { ...capture, confirm },
    settings: {
      ...{ url, ca: caFile, serverName: 'localhost', bindDn: serviceDn(suffixes[name]) },
      bindPassword: `\${file:${secretFiles[name]}}`,
      ...{ base: `ou=people,${suffixes[name]}`, write: 'modify' },
    },
  });
  const sources = {
    corp: directory('corp', true),
    apps: directory('apps', false),
    branch: directory('branch', false),
  };
  const group = (authSource: string, target: SourceName) => ({
    ...{ policy: 'everyone', authSource, sources: [authSource, target] },
  });
  const document = {
    version: 1,
    sources: { ...sources, ...(domain && { domain: domainSource(domain, capture) }) },
    policies: { everyone: { minLength: 15 } },
    groups: { all: group('corp', 'apps'), ...(domain && { domain: group('domain', 'branch') }) },
  };
  await call('POST', 'configuration/apply', { document, version });
}

/** Name of the file with the password of the domain, in the folder of the secrets. */
const DOMAIN_SECRET = 'domain';

const domainSource = ({ samba }: SyncingDomain, capture: object) => ({
  ...{ kind: 'active-directory', capture },
  settings: {
    ...{ url: samba.url, ca: samba.caFile, serverName: samba.serverName, base: samba.base },
    ...{ bindDn: samba.adminDn, bindPassword: `\${file:${DOMAIN_SECRET}}` },
  },
});

function addPerson(call: Call, person: string, domain: SyncingDomain | null): Promise<unknown> {
  const there = (source: SourceName) => ({ source, name: dnOf(source, person) });
  const accounts =
    domain !== null && peopleOfDomain.includes(person)
      ? [{ source: 'domain', name: domain.dnOf(person) }, there('branch')]
      : [there('corp'), there('apps')];
  return call('PUT', `identities/${person}`, {
    accounts: accounts.map((account) => ({ ...account, primary: true })),
  });
}
