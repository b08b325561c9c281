import type { Connector } from '../../connectors/contract';
import { log } from '../../log';
import type { SourceCheck } from '../../model/api/job-results';
import type { Database } from '../../store/database';
import { reopenSource } from '../../store/sources/state';

/**
 * What `lockstep doctor` asks about one source. Where our service account gets in, whatever the worker had found wrong
 * is put right, and those who wait go on.
 */
export async function checkSource(
  db: Database,
  source: string,
  connector: Connector,
): Promise<SourceCheck> {
  const findings = await connector.check();
  const letIn = findings.some(
    ({ check, verdict }) => check === 'service-login' && verdict === 'ok',
  );
  if (letIn && (await reopenSource(db, source, 'by_worker', 'worker')))
    log.info('the check of a source succeeded; those who wait for it are woken', { source });
  const told = await connector.policies?.();
  return { findings, policies: told?.result === 'policies' ? told.policies : [] };
}
