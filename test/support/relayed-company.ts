import { rmSync } from 'node:fs';
import path from 'node:path';
import type { Registration } from '../../capture/setup';
import { connectorKinds } from '../../connectors/registry';
import { openFingerprintKey, readSigner } from '../../intake/key-files';
import type { CaptureDependencies } from '../../worker/captures/ingest-relayed';
import { startCaptures } from '../../worker/captures/ingest-relayed';
import { startTestApi, type TestApi } from './api';
import { type Company, serviceSecret, startCompany } from './company';
import { startEngine } from './engine';
import { type Lockstep, startLockstep } from './lockstep';
import { setUpTestRelay, type TestRelay } from './relay';
import { captureDependencies } from './relayed';
import { until } from './until';

/** A company with a relay for its directory, and with api, worker and engine. */
export interface RelayedCompany {
  readonly company: Company;
  readonly lockstep: Lockstep;
  readonly api: TestApi;
  /** The relay of the directory. */
  readonly relay: TestRelay;
  /** Adds a relay for another source. */
  addRelay(source: string, settings?: Readonly<Record<string, unknown>>): Promise<TestRelay>;
  /** Stops api and worker. */
  stopService(): Promise<void>;
  startService(): Promise<void>;
  stop(): Promise<void>;
}

interface Wanted {
  /** Settings of the sources that differ from the defaults. */
  readonly sources: Parameters<Company['sources']>[0];
  /** Settings of the directory's relay that replace those of the setup. */
  readonly relay?: Readonly<Record<string, unknown>>;
}

export async function startRelayedCompany(wanted: Wanted): Promise<RelayedCompany> {
  const [company, engine] = [await startCompany(), await startEngine()];
  const lockstep = await startLockstep(engine);
  const sources = company.sources(wanted.sources);
  await lockstep.configure({
    version: 1,
    sources,
    policies: { everyone: {} },
    groups: {
      all: { policy: 'everyone', authSource: 'directory', sources: Object.keys(sources) },
    },
  });
  const api = await startTestApi({ database: lockstep.database, keyDir: lockstep.keyDir });
  const startWorker = async () => ({
    worker: lockstep.startWorker(),
    captures: await startIngesting(lockstep, api),
  });
  let running = await startWorker();
  const stopWorker = async () => {
    await running.captures.stop();
    await running.worker.stop();
  };
  const relays: TestRelay[] = [];
  const addRelay = async (source: string, settings?: Readonly<Record<string, unknown>>) => {
    const relay = await setUpTestRelay({
      ...{ url: api.url, source },
      ...(settings && { settings }),
      register: async (publicKey) => {
        const key = await api.newKey(['admin']);
        const reply = await api.send('POST', '/v1/relays', { key, body: { source, publicKey } });
        return reply.body as unknown as Registration;
      },
    });
    relays.push(relay);
    await relay.start();
    return relay;
  };
  const relay = await addRelay('directory', wanted.relay);
  await until(async () => (await relay.handOver('nobody', 'the first one')) === 'stored');
  return {
    ...{ company, lockstep, api, relay, addRelay },
    async stopService() {
      await api.stopProcess();
      await stopWorker();
    },
    async startService() {
      running = await startWorker();
      await api.restart();
    },
    async stop() {
      for (const one of relays) {
        await one.stop();
        rmSync(one.dir, { recursive: true });
      }
      await running.captures.stop();
      await api.stopProcess();
      await lockstep.stop();
      await engine.stop();
      await company.stop();
    },
  };
}

/** Starts the part of a worker that ingests captures, with the key with which the api recognizes passwords. */
async function startIngesting({ database, keys, keyDir }: Lockstep, api: TestApi) {
  const signer = readSigner(path.join(keyDir, 'signer.pub.json'));
  const fingerprintKey = openFingerprintKey(path.join(api.dir, 'fingerprint.key'));
  const opened: ReturnType<CaptureDependencies['connector']>[] = [];
  const connector: CaptureDependencies['connector'] = async (_name, { kind, settings }) => {
    const found = connectorKinds.get(kind);
    if (found === undefined) throw new Error(`no connector ${kind}`);
    const one = found.open(settings, { resolve: serviceSecret });
    opened.push(one);
    return one;
  };
  const deps = captureDependencies(database.db, keys, () => signer, { fingerprintKey }, connector);
  const captures = await startCaptures(deps, database.url);
  return {
    async stop() {
      await captures.stop();
      for (const one of opened) await (await one).close();
      await deps.close();
    },
  };
}
