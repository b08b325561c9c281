import { createSecretKey, randomBytes } from 'node:crypto';
import { accountRulesOf } from '../../connectors/registry';
import type { IntakeDependencies } from '../../intake/dependencies';
import { watchEpochs } from '../../intake/epochs';
import { openPolicyChecker } from '../../intake/policy/check-policy';
import { watchConfiguration } from '../../store/configuration/watch';
import type { Database } from '../../store/database';
import type { KeyStore } from '../../store/worker/keys/key-store';
import type { CaptureDependencies } from '../../worker/captures/ingest-relayed';

const HOUR_MS = 3_600_000;

/** The dependencies of a worker that ingests captures of relays. */
export function captureDependencies(
  db: Database,
  keys: KeyStore,
  signer: Parameters<typeof watchEpochs>[1],
  settings: Partial<IntakeDependencies['settings']> = {},
  connector: CaptureDependencies['connector'] = async () => {
    throw new Error('this test must not query a source');
  },
): CaptureDependencies & { close(): Promise<void> } {
  const policyChecker = openPolicyChecker();
  return {
    db,
    keys,
    configuration: watchConfiguration(db),
    keyToSealTo: watchEpochs(db, signer),
    policyChecker,
    connector,
    accountRules: accountRulesOf,
    random: () => 0,
    settings: {
      fingerprintKey: createSecretKey(randomBytes(32)),
      ageLimitMs: 72 * HOUR_MS,
      ...settings,
    },
    close: policyChecker.close,
  };
}
