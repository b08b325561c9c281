import { rmSync } from 'node:fs';
import path from 'node:path';
import type { Registration } from '../../capture/setup';
import { connectorKinds } from '../../connectors/registry';
import { openFingerprintKey, readSigner } from '../../intake/key-files';
import type { CaptureDependencies } from '../../worker/captures';
import { startCaptures } from '../../worker/captures';
import { startTestApi, type TestApi } from './api';
import { type Company, type SystemName, serviceSecret, startCompany } from './company';
import { startEngine } from './engine';
import { type Lockstep, startLockstep } from './lockstep';
import { setUpTestRelay, type TestRelay } from './relay';
import { captureDependencies } from './relayed';
import { until } from './until';

/** A company of which one source has a relay beside it, with api, worker and engine. */
export interface RelayedCompany {
  readonly company: Company;
  readonly lockstep: Lockstep;
  readonly api: TestApi;
  readonly relay: TestRelay;
  stop(): Promise<void>;
}

interface Wanted {
  /** What the sources differ in. */
  readonly sources: Parameters<Company['sources']>[0];
  /** Beside which the relay is; the directory, unless said. */
  readonly source?: SystemName;
  /** Of the relay, in place of what setup wrote. */
  readonly relay?: RelaySettings | ((company: Company) => Promise<RelaySettings>);
}

type RelaySettings = Readonly<Record<string, unknown>>;

export async function startRelayedCompany(wanted: Wanted): Promise<RelayedCompany> {
  const [company, engine] = [await startCompany(), await startEngine()];
  const lockstep = await startLockstep(engine);
  const sources = ['directory', 'apps', 'warehouse', 'crm'];
  await lockstep.configure({
    version: 1,
    sources: company.sources(wanted.sources),
    policies: { everyone: {} },
    groups: { all: { policy: 'everyone', authSource: 'directory', sources } },
  });
  lockstep.startWorker();
  const api = await startTestApi({ database: lockstep.database, keyDir: lockstep.keyDir });
  const captures = await takeCapturesIn(lockstep, api);
  const { source = 'directory' } = wanted;
  const settings = await (typeof wanted.relay === 'function'
    ? wanted.relay(company)
    : wanted.relay);
  const relay = await setUpTestRelay({
    url: api.url,
    source,
    ...(settings && { settings }),
    register: async (publicKey) => {
      const body = { source, publicKey };
      const reply = await api.send('POST', '/v1/relays', {
        key: await api.newKey(['admin']),
        body,
      });
      return reply.body as unknown as Registration;
    },
  });
  await relay.start();
  await until(async () => (await relay.handOver('nobody', 'the first one')) === 'taken');
  return {
    company,
    lockstep,
    api,
    relay,
    async stop() {
      await relay.stop();
      rmSync(relay.dir, { recursive: true });
      await captures.stop();
      await api.stopProcess();
      await lockstep.stop();
      await engine.stop();
      await company.stop();
    },
  };
}

/** The part of a worker that opens what relays brought, with the key by which the api knows passwords again. */
async function takeCapturesIn({ database, keys, keyDir }: Lockstep, api: TestApi) {
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
