import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Report } from '../../local/debian';
import { serviceDn } from '../../local/demo/directories';
import { serverDir } from '../../local/places';
import { freePort } from '../../local/ports';
import { startSlapd } from '../../local/slapd';
import { startStack } from '../../local/stack';
import { emptyStateDir } from '../../local/state-dir';
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
import { httpOrigin, openLdapOrigin } from './origins';
import { startBenchRelay } from './relay';

/** Everything that a change in a source passes on its way, and two directories that capture from each other. */
export async function benchCaptures(
  effort: Effort,
  report: Report,
  interrupted: Promise<never>,
): Promise<readonly Measured[]> {
  mkdirSync('.lockstep', { recursive: true });
  const stateDir = mkdtempSync(path.resolve('.lockstep', 'bench-'));
  const folder = mkdtempSync(path.join(os.tmpdir(), 'lockstep-relay-'));
  chmodSync(folder, 0o755);
  const socket = path.join(folder, 'capture.sock');
  const stops: (() => Promise<void>)[] = [];
  const opened = <One extends { stop(): Promise<void> }>(one: One): One => {
    stops.push(() => one.stop());
    return one;
  };
  try {
    const company = captureDirectories(stateDir, socket);
    const dir = serverDir(stateDir, 'slapd');
    const { directories } = company;
    const slapd = opened(await startSlapd({ dir, port: await freePort(), directories, report }));
    const { apiUrl, adminKeyFile } = opened(await startStack({ stateDir, report }));
    const call = caller(apiUrl, adminKeyFile);
    await configure(call, slapd, company.secretFiles);
    for (const person of people) await addPerson(call, person);
    opened(
      await startBenchRelay(call, {
        apiUrl,
        dir: path.join(stateDir, 'relay'),
        source: 'corp',
        socket,
      }),
    );
    const origins = [httpOrigin(call), await openLdapOrigin(slapd, company.password)];
    const measured: Measured[] = [];
    for (const origin of origins)
      measured.push(await Promise.race([measureOrigin(origin, call, effort, report), interrupted]));
    for (const origin of origins) await origin.close();
    return measured;
  } finally {
    for (const stop of stops.reverse()) await stop();
    emptyStateDir(stateDir);
    for (const one of [stateDir, folder]) rmSync(one, { recursive: true });
  }
}

async function configure(
  call: Call,
  { url, caFile }: { readonly url: string; readonly caFile: string },
  secretFiles: CaptureDirectories['secretFiles'],
): Promise<void> {
  const { version } = (await call('GET', 'configuration')) as { version: number };
  const source = (name: SourceName, confirm: boolean) => ({
    kind: 'ldap',
    capture: { enabled: true, verifyCurrent: false, confirm },
    settings: {
      ...{ url, ca: caFile, serverName: 'localhost', bindDn: serviceDn(suffixes[name]) },
      bindPassword: `\${file:${secretFiles[name]}}`,
      ...{ base: `ou=people,${suffixes[name]}`, write: 'modify' },
    },
  });
  const document = {
    version: 1,
    sources: { corp: source('corp', true), apps: source('apps', false) },
    policies: { everyone: { minLength: 15 } },
    groups: { all: { policy: 'everyone', authSource: 'corp', sources: ['corp', 'apps'] } },
  };
  await call('POST', 'configuration/apply', { document, version });
}

const addPerson = (call: Call, person: string) =>
  call('PUT', `identities/${person}`, {
    accounts: (['corp', 'apps'] as const).map((source) => ({
      source,
      name: dnOf(source, person),
      primary: true,
    })),
  });
