import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Registration } from '../../../capture/setup';
import { startSyncingDomain } from '../../../local/syncing-domain';
import { createApiKey } from '../../../store/api-keys';
import { readChange } from '../../../store/changes/read';
import { unsealCredential } from '../../../store/worker/credentials';
import { openMasterFolder } from '../../../store/worker/keys/master-folder';
import type { AdapterApi } from '../adapters';
import { send } from '../api';
import { audited } from '../audited';
import { type CompanyAccount, startCompany } from '../company';
import { withSecretFiles } from '../crash-bench';
import { uniqueName } from '../people';
import { setUpTestRelay, type TestRelay } from '../relay';
import { startTestStack, type TestStack } from '../stack';
import { until } from '../until';
import { type External, externals, type SsoCompany, startSsoCompany } from './company';
import { readDomain } from './read-domain';

/**
 * Lockstep in processes that a test kills, a Samba domain whose passwords its reader and a relay capture, and external
 * systems that are adapters. Each serves the application of its name with the suffix `-app`.
 */
export interface SsoBench {
  readonly stack: TestStack;
  readonly sso: SsoCompany;
  /** The API as an adapter calls it. */
  readonly api: AdapterApi;
  readonly relay: TestRelay;
  configure(adapter?: object, direct?: External): Promise<void>;
  newPerson(system: External): Promise<SsoPerson>;
  /** Reports a password that was changed in an external system. */
  capture(
    account: CompanyAccount,
    password: string,
    capturedAt?: Date,
  ): ReturnType<AdapterApi['send']>;
  /** The stored credential of a person with the state of its mapping. */
  stored(one: SsoPerson): Promise<readonly [string | null, string]>;
  /** The ended changes of a person, the oldest first; null while one is open or there are less than `count`. */
  ended(person: string, count: number): Promise<readonly string[]>;
  stop(): Promise<void>;
}

export interface SsoPerson {
  readonly person: string;
  readonly domain: CompanyAccount;
  readonly external: CompanyAccount;
}

const PEOPLE = Array.from({ length: 48 }, (_, index) => `person-${index}`);
const allOn = { windowsToAdapters: true, adaptersToStore: true, adaptersToWindows: true };

export async function startSsoBench(): Promise<SsoBench> {
  const secrets = mkdtempSync(path.join(os.tmpdir(), 'lockstep-sso-'));
  const domain = await startSyncingDomain(PEOPLE, () => {});
  const [company, stack] = await Promise.all([startCompany(), startTestStack(secrets)]);
  const { db } = stack.database;
  const api: AdapterApi = {
    ...{ url: stack.url, database: stack.database, dir: secrets },
    send: (method, target, options = {}) => send(stack.url + target, method, options),
  };
  const sso = await startSsoCompany(company, api, await readDomain(domain, PEOPLE));
  const succeed = async (...request: Parameters<TestStack['call']>) => {
    const { status, body } = await stack.call(...request);
    if (status >= 300) throw new Error(JSON.stringify(body));
    return body;
  };

  async function configure(adapter: object = {}, direct?: External): Promise<void> {
    const adapters = externals.filter((name) => name !== direct);
    const of = (name: External) => ({
      enabled: true,
      ...{ applications: [`${name}-app`], syncToAdapter: true, syncFromAdapter: true },
      ...{ changeWindowsPassword: true, verifyOldPassword: false, ...adapter },
    });
    const document = {
      version: 1,
      sources: {
        domain: { ...sso.source('domain'), capture: { enabled: true } },
        ...Object.fromEntries(
          externals.map((name) => [
            name,
            { ...sso.source(name), ...(name !== direct && { adapter: of(name) }) },
          ]),
        ),
      },
      policies: { everyone: {} },
      groups: {
        all: {
          ...{ policy: 'everyone', authSource: 'domain', failureMode: 'directory-last' },
          sources: ['domain', ...adapters],
        },
      },
      applications: Object.fromEntries(
        externals.map((name) => [
          `${name}-app`,
          { source: name, ...(name === direct && { directFrom: 'domain' }) },
        ]),
      ),
      sso: { switches: allOn },
    };
    const { version = 0 } = (await stack.call('GET', 'configuration')).body;
    const wanted = JSON.parse(withSecretFiles(JSON.stringify(document), secrets));
    await succeed('POST', 'configuration/apply', { document: wanted, version });
  }

  await configure();
  const relay = await setUpTestRelay({
    ...{ url: stack.url, source: 'domain', settings: { covers: 'source' } },
    register: async (publicKey) =>
      (await succeed('POST', 'relays', { source: 'domain', publicKey })) as unknown as Registration,
  });
  await relay.start();
  await until(async () => (await relay.handOver('nobody', 'the first one')) === 'stored');
  const reader = await domain.startReader({ socket: relay.socket, names: 'person-' });
  // The first passwords of all people and the capture above belong to accounts that are not linked yet.
  await until(async () => (await audited(db, 'capture.unmapped')) === 1 + PEOPLE.length);
  await sso.giveBack('loop');
  const wanted = { name: 'capture', scopes: ['capture' as const], groups: null, expiresAt: null };
  const { key } = await createApiKey(db, wanted, 'test');

  return {
    ...{ stack, sso, api, relay, configure },
    async newPerson(system) {
      const [inDomain, external] = [await sso.addAccount('domain'), await sso.addAccount(system)];
      const person = `person-${uniqueName()}`;
      await succeed('PUT', `identities/${person}`, {
        accounts: [inDomain, external].map(({ source, name }) => ({ source, name })),
        mappings: [{ application: `${system}-app`, enabled: true }],
      });
      return { person, domain: inDomain, external };
    },
    capture({ source, name: account }, password, capturedAt = new Date()) {
      const body = { source, account, password, capturedAt: capturedAt.toISOString() };
      return api.send('POST', '/v1/captures', { key, body });
    },
    async stored({ person }) {
      const row = await db
        .selectFrom('mapping')
        .innerJoin('identity', 'identity.id', 'mapping.identity_id')
        .where('identity.name', '=', person)
        .selectAll('mapping')
        .executeTakeFirstOrThrow();
      const state = row.reason ?? row.state;
      if (row.sealed === null) return [null, state];
      const master = await openMasterFolder(stack.keyDir).masterKey(row.master_key_id ?? '');
      return [unsealCredential(master, row.id, row.applied_seq, row.sealed).text(), state];
    },
    async ended(person, count) {
      const rows = () =>
        db
          .selectFrom('change')
          .select(['id', 'ended_at as end'])
          .where('identity_name', '=', person)
          .orderBy('seq')
          .execute()
          .catch(() => []);
      await until(async () => {
        const all = await rows();
        return all.length >= count && all.every(({ end }) => end !== null);
      });
      const changes = await Promise.all((await rows()).map(({ id }) => readChange(db, id)));
      return changes.map((change) => change?.state ?? '');
    },
    async stop() {
      await reader.stop();
      await relay.stop();
      await sso.stop();
      await stack.stop();
      await company.stop();
      await domain.stop();
      rmSync(secrets, { recursive: true });
      rmSync(relay.dir, { recursive: true });
    },
  };
}
