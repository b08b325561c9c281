import { countCaptures } from '../intake/capture-counter';
import { log } from '../log';
import { chainAudit } from '../store/audit';
import { forgetFingerprints } from '../store/captures/fingerprints';
import type { Database } from '../store/database';
import { deleteExpiredSecrets } from '../store/worker/close';
import { destroyEndedEpochs, ensureEpoch } from '../store/worker/epochs';
import type { KeyStore } from '../store/worker/keys/key-store';
import { deleteExpiredCaptures } from '../store/worker/sealed-captures';
import { forgetSignIns } from '../store/worker/sign-ins';
import { type Loop, startLoop } from './loop';

/**
 * Starts the maintenance loops: chaining the audit, deleting expired secrets and old fingerprints, and making and
 * destroying epochs. Every worker runs them; locks in the database ensure that they do not interfere.
 * @param epochHours how long passwords are sealed to one epoch
 * @param captureHours for how long after its end the key of an epoch that relays seal to is kept
 */
export function startJanitor(
  db: Database,
  keys: KeyStore,
  epochHours: number,
  captureHours?: number,
): Loop[] {
  return [
    startLoop({ name: 'audit chain', everyMs: 1_000 }, async () => (await chainAudit(db)) > 0),
    startLoop({ name: 'expired secrets', everyMs: 10_000 }, async () => {
      const captures = await deleteExpiredCaptures(db);
      for (const source of captures) countCaptures(source, 'relay', 'expired');
      const count = (await deleteExpiredSecrets(db)) + captures.length;
      if (count > 0) log.info('expired sealed passwords were deleted', { count });
      await forgetSignIns(db);
      return false;
    }),
    startLoop({ name: 'fingerprints', everyMs: 60_000 }, async () => {
      await forgetFingerprints(db);
      return false;
    }),
    startLoop({ name: 'epochs', everyMs: 60_000 }, async () => {
      await ensureEpoch(db, keys, epochHours);
      await ensureEpoch(db, keys, epochHours, 'capture');
      for (const epoch of await destroyEndedEpochs(db, keys, captureHours))
        log.info('the key of an ended epoch was destroyed', { epoch });
      return false;
    }),
  ];
}
