import { countCaptures } from '../intake/capture-counter';
import { log } from '../log';
import { forgetFingerprints } from '../store/captures/fingerprints';
import type { Database } from '../store/database';
import { forgetCandidateChecks } from '../store/sources/jobs';
import { forgetHistory, recordHistory } from '../store/sources/record-history';
import { anchorAudit } from '../store/worker/audit/anchor';
import { type AuditChain, chainAudit } from '../store/worker/audit/chain';
import { deleteExpiredSecrets } from '../store/worker/close';
import { destroyEndedEpochs, ensureEpoch } from '../store/worker/epochs';
import { deleteExpiredKept } from '../store/worker/kept-captures';
import type { KeyStore } from '../store/worker/keys/key-store';
import { deleteExpiredCaptures } from '../store/worker/sealed-captures';
import { forgetSignIns } from '../store/worker/sign-ins';
import { type Loop, startLoop } from './loop';

/**
 * Starts the maintenance loops: chaining and anchoring the audit, the history of the sources, deleting expired secrets and
 * old fingerprints, and making and destroying epochs. Every worker runs them; locks in the database ensure that they do
 * not interfere.
 * @param epochHours how long passwords are sealed to one epoch
 * @param captureHours for how long after its end the key of an epoch that relays seal to is kept
 */
export function startJanitor(
  db: Database,
  keys: KeyStore,
  audit: AuditChain,
  epochHours: number,
  captureHours?: number,
): Loop[] {
  return [
    startLoop(
      { name: 'audit chain', everyMs: 1_000 },
      async () => (await chainAudit(db, audit.keys)) > 0,
    ),
    startLoop({ name: 'audit anchor', everyMs: 60_000 }, async () => {
      await anchorAndLog(db, audit);
      return false;
    }),
    startLoop({ name: 'expired secrets', everyMs: 10_000 }, async () => {
      const captures = [...(await deleteExpiredCaptures(db))];
      captures.push(...(await deleteExpiredKept(db)));
      for (const source of captures) countCaptures(source, 'relay', 'expired');
      const count = (await deleteExpiredSecrets(db)) + captures.length;
      if (count > 0) log.info('expired sealed passwords were deleted', { count });
      await forgetSignIns(db);
      await forgetCandidateChecks(db);
      return false;
    }),
    startLoop({ name: 'fingerprints', everyMs: 60_000 }, async () => {
      await forgetFingerprints(db);
      return false;
    }),
    startLoop({ name: 'source history', everyMs: 5_000 }, () => recordHistory(db)),
    startLoop({ name: 'old source history', everyMs: 600_000 }, async () => {
      await forgetHistory(db);
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

/** The log is one more place outside the database that shows where the chain ended. */
async function anchorAndLog(db: Database, { anchors }: AuditChain): Promise<void> {
  const { anchor, lost } = await anchorAudit(db, anchors);
  if (lost !== null)
    log.error(
      'the audit chain does not hold the record of the last anchor any more: the database was restored or changed; run "lockstep audit verify"',
      { position: lost.position, hash: lost.hash.toString('hex') },
    );
  if (anchor !== null)
    log.info('the audit chain was anchored', {
      position: anchor.position,
      hash: anchor.hash.toString('hex'),
    });
}
