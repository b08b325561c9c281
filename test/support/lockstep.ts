import { mkdtempSync, readFileSync, symlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Connector } from '../../connectors/contract';
import type { Mailbox } from '../../connectors/mailbox';
import type { NoticeTools } from '../../connectors/notices/contract';
import { openNoticeChannels } from '../../connectors/notices/open';
import { accountRulesOf, connectorKinds } from '../../connectors/registry';
import { type Configuration, configurationSchema } from '../../model/configuration/document';
import { Secret } from '../../model/passwords/secret';
import { inPlaintext, seal } from '../../sealing/passwords';
import { createApiKey } from '../../store/api-keys';
import { acceptChange } from '../../store/changes/accept';
import { giveCommand } from '../../store/changes/commands';
import { type ChangeView, readChange } from '../../store/changes/read';
import { applyConfiguration, currentConfiguration } from '../../store/configuration/versions';
import { watchConfiguration } from '../../store/configuration/watch';
import type { Database } from '../../store/database';
import { currentEpoch, signerKey } from '../../store/epochs';
import { newId } from '../../store/ids';
import { findIdentity, saveIdentity } from '../../store/people/identities';
import type { CommandKind } from '../../store/tables';
import { ensureEpoch } from '../../store/worker/epochs';
import { openEpochFolder } from '../../store/worker/keys/epoch-folder';
import { openKeyDirectory, SIGNER_PUBLIC_FILE } from '../../store/worker/keys/key-directory';
import type { KeyStore, MasterKeyStore } from '../../store/worker/keys/key-store';
import { openMailboxes } from '../../worker/adapters/mailbox';
import { startBoundSide, startEngineSide } from '../../worker/changes/engine';
import { linksToChanges } from '../../worker/changes/link-to-change';
import { installRuntime } from '../../worker/changes/temporal';
import { startJanitor } from '../../worker/janitor';
import { startJobs } from '../../worker/jobs/jobs';
import { keepAuditIn } from './audit-chain';
import { serviceSecret } from './company';
import { type TestDatabase, testDatabase } from './database';
import { server } from './servers';
import { until } from './until';

/** Runs workers in the process of the test, on real servers, with its own database and keys; the test acts as the api. */
export interface Lockstep {
  /** Each accepted change with the title of the test that accepted it. */
  readonly accepted: ReadonlyMap<string, string>;
  readonly database: TestDatabase;
  readonly keys: KeyStore;
  readonly keyDir: string;
  /** Id of the API key that requests every change. */
  readonly apiKey: string;
  configure(document: object): Promise<void>;
  addPerson(
    accounts: readonly { readonly source: string; readonly name: string }[],
    attributes?: Record<string, string>,
  ): Promise<string>;
  /** Accepts a change as the api does: sealed to the epoch, in one statement. */
  accept(wanted: NewPassword): Promise<string>;
  read(changeId: string): Promise<ChangeView>;
  /** Reads a change until a condition is met. The time limit of the test ends a wait that takes too long. */
  readUntil(changeId: string, met: (change: ChangeView) => boolean): Promise<ChangeView>;
  readEnd(changeId: string): Promise<ChangeView>;
  command(changeId: string, kind: Exclude<CommandKind, 'supersede'>, label?: string): Promise<void>;
  /** Resets the state of all sources, so that the next test finds them available. */
  forgetTroubles(): Promise<void>;
  /** Starts a worker; several may run. With `away` it cannot reach the engine and does only work that needs none. */
  startWorker(engine?: 'away'): TestWorker;
  /** Starts a worker that is bound to these sources, and sees nothing of the key folder but the keys of epochs. */
  startBoundWorker(...sources: string[]): TestWorker;
  stop(): Promise<void>;
}

export interface NewPassword {
  readonly person: string;
  readonly password: string;
  readonly current?: string;
  readonly ageLimitMs?: number;
  /** Groups to change; all declared groups by default. */
  readonly groups?: readonly string[];
}

export interface TestWorker {
  /** The sources whose connector this worker has used. */
  readonly asked: ReadonlySet<string>;
  /** Shuts down as on SIGTERM. */
  stop(): Promise<void>;
}

export interface EngineAddress {
  readonly address: string;
  readonly namespace: string;
}

export type EngineOptions = EngineAddress & { readonly cachedWorkflows?: number };

const HOUR_MS = 3_600_000;

// This must run before the SDK creates a runtime with its defaults.
installRuntime();

/** Channels that resolve secrets as the sources do. They transmit no security events. */
const noticeTools: NoticeTools = {
  resolve: serviceSecret,
  issuer: null,
  signEvent: () => Promise.reject(new Error('this test signs no events')),
};

interface LockstepOptions {
  /** A database of its own without it. */
  readonly database?: TestDatabase;
  /** Master keys that are not in the key folder. */
  readonly masterKeysFor?: ((db: Database) => MasterKeyStore) | undefined;
  /** The tools of the channels for notices, by the key folder of the worker. */
  readonly toolsFor?: (keyDir: string, keys: KeyStore, db: Database) => NoticeTools;
}

export async function startLockstep(
  engine: EngineOptions,
  { database: given, masterKeysFor, toolsFor = () => noticeTools }: LockstepOptions = {},
): Promise<Lockstep> {
  const database = given ?? (await testDatabase());
  const { db } = database;
  const keyDir = path.join(mkdtempSync(path.join(os.tmpdir(), 'lockstep-test-')), 'keys');
  const keys = await openKeyDirectory(keyDir, masterKeysFor?.(db));
  await ensureEpoch(db, keys, 24);
  const signer = signerKey(JSON.parse(readFileSync(path.join(keyDir, SIGNER_PUBLIC_FILE), 'utf8')));
  const wantedKey = { name: 'test', scopes: ['trigger' as const], groups: null, expiresAt: null };
  const { id: apiKey } = await createApiKey(db, wantedKey, 'test');
  const audit = keepAuditIn(db, keyDir);
  const janitor = startJanitor(db, keys, audit, 24);
  const mailboxes = await openMailboxes(db, database.url, 2_000);
  const connectors = openTestConnectors(mailboxes.of, path.dirname(keyDir));
  const notices = openNoticeChannels(toolsFor(keyDir, keys, db));
  const workers = new Set<TestWorker>();
  const titles = new Map<string, string>();

  const read = async (changeId: string): Promise<ChangeView> => {
    const change = await readChange(db, changeId);
    if (change === null) throw new Error('no such change');
    return change;
  };
  const dependencies = (own: KeyStore) => {
    const asked = new Set<string>();
    const connector: typeof connectors.of = (source, configuration) => {
      asked.add(source);
      return connectors.of(source, configuration);
    };
    const configuration = watchConfiguration(db);
    const accountRules = accountRulesOf;
    return {
      asked,
      deps: { db, keys: own, configuration, connector, accountRules, random: () => 0 },
    };
  };
  const reaching = () => ({
    ...engine,
    login: { tls: false, apiKey: () => null },
    workerId: newId('key'),
  });
  const running = (
    jobs: ReturnType<typeof startJobs>,
    ended: Promise<void>,
    asked: ReadonlySet<string>,
    stopping: AbortController,
  ): TestWorker => {
    const worker: TestWorker = {
      asked,
      async stop() {
        workers.delete(worker);
        stopping.abort();
        await (await jobs).stop();
        await ended;
      },
    };
    workers.add(worker);
    return worker;
  };
  const lockstep: Lockstep = {
    accepted: titles,
    database,
    keys,
    keyDir,
    apiKey,
    read,
    async configure(document) {
      const { version } = await currentConfiguration(db);
      await applyConfiguration(
        db,
        configurationSchema.parse(document),
        version,
        'test',
        accountRulesOf,
      );
    },
    async addPerson(accounts, attributes = {}) {
      const name = `person-${newId('idn').slice(-10)}`;
      const links = accounts.map((account) => ({
        source: account.source,
        name: account.name,
        nativeId: null,
        primary: false,
      }));
      const { configuration } = await currentConfiguration(db);
      const conflicts = await saveIdentity(
        db,
        { name, attributes },
        links,
        'operator',
        'test',
        (source) => accountRulesOf(configuration.sources[source]),
      );
      if (conflicts.length > 0) throw new Error('an account is linked to another identity');
      return name;
    },
    async accept({ person, password, current, ageLimitMs = 72 * HOUR_MS, groups }) {
      const [identity, epoch, applied] = await Promise.all([
        findIdentity(db, { name: person }),
        currentEpoch(db, signer),
        currentConfiguration(db),
      ]);
      if (identity === null || epoch === null) throw new Error('no identity or no epoch');
      const change = {
        id: newId('chg'),
        identityId: identity.id,
        seq: identity.lastSeq + 1,
        expiresAt: new Date(identity.now.getTime() + ageLimitMs),
      };
      const jwe = await seal(
        epoch.key,
        { ...change, changeId: change.id },
        inPlaintext(
          Secret.fromText(password),
          current === undefined ? null : Secret.fromText(current),
        ),
      );
      const accepted = await acceptChange(db, {
        ...change,
        identityName: identity.name,
        groups: groups ?? Object.keys(applied.configuration.groups),
        requestedBy: { keyId: apiKey, name: 'test' },
        form: 'plaintext',
        origin: null,
        passwordFingerprints: null,
        idempotencyKey: null,
        fingerprint: null,
        configurationVersion: applied.version,
        epochId: epoch.key.epochId,
        jwe,
      });
      if (accepted.result !== 'accepted') throw new Error(accepted.result);
      titles.set(change.id, expect.getState().currentTestName ?? '');
      return change.id;
    },
    async readUntil(changeId, met) {
      await until(async () => met(await read(changeId)));
      return read(changeId);
    },
    readEnd: (changeId) => lockstep.readUntil(changeId, ({ endedAt }) => endedAt !== null),
    async command(changeId, kind, label) {
      await giveCommand(db, { changeId, kind, label: label ?? null, by: 'test' });
    },
    async forgetTroubles() {
      await db.deleteFrom('source_state').execute();
    },
    startWorker(found) {
      const stopping = new AbortController();
      const { deps, asked } = dependencies(keys);
      const { ended } = startEngineSide(
        deps,
        {
          ...reaching(),
          ...(found === 'away' ? { address: '127.0.0.1:1' } : {}),
          databaseUrl: database.url,
          workflows: { workflowBundle: { codePath: server('workflows').bundle ?? '' } },
          notices,
          linkTo: linksToChanges(db, undefined, 'http://127.0.0.1'),
        },
        stopping.signal,
      );
      const jobs = startJobs(
        deps,
        { audit, candidate: (candidate) => connectors.candidate(candidate) },
        database.url,
      );
      return running(jobs, ended, asked, stopping);
    },
    startBoundWorker(...boundTo) {
      const stopping = new AbortController();
      const { deps, asked } = dependencies(openEpochFolder(epochsOnly(keyDir)));
      const { ended } = startBoundSide({ ...deps, boundTo }, reaching(), stopping.signal);
      const jobs = startJobs({ ...deps, boundTo }, null, database.url);
      return running(jobs, ended, asked, stopping);
    },
    async stop() {
      await Promise.all([...workers].map((worker) => worker.stop()));
      await Promise.all(janitor.map((loop) => loop.stop()));
      await mailboxes.stop();
      await connectors.close();
      notices.close();
      await database.close();
    },
  };
  return lockstep;
}

/** The key folder as a bound worker sees it. */
function epochsOnly(keyDir: string): string {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'lockstep-bound-'));
  symlinkSync(path.join(keyDir, 'epochs'), path.join(dir, 'epochs'));
  return dir;
}

/** Opens the real connectors; only their service passwords, and the folder of their programs, come from the test. */
function openTestConnectors(mailboxOf: (source: string) => Mailbox, commandDir: string) {
  const opened = new Map<string, Promise<Connector>>();
  const open = (
    { kind, settings }: Pick<Configuration['sources'][string], 'kind' | 'settings'>,
    mailbox?: Mailbox,
  ) => {
    const found = connectorKinds.get(kind);
    if (found === undefined) throw new Error(`no connector ${kind}`);
    return found.open(settings, { resolve: serviceSecret, mailbox, commandDir });
  };
  return {
    async of(name: string, source: Configuration['sources'][string]) {
      const { kind, settings } = source;
      const key = JSON.stringify([kind === 'pull' ? name : null, kind, settings]);
      const connector = opened.get(key) ?? open(source, mailboxOf(name));
      opened.set(key, connector);
      return connector;
    },
    candidate: open,
    async close() {
      await Promise.all([...opened.values()].map(async (one) => (await one).close()));
    },
  };
}
