import type { Connector } from '../../connectors/contract';
import { log } from '../../log';
import type { SourceCheck } from '../../model/api/job-results';
import type { Database } from '../../store/database';
import { reopenSource } from '../../store/sources/state';

/**
 * Checks a source for `lockstep doctor`. If the service login succeeds, a source that the worker had marked as down
 * or paused is up again, and the accounts that wait for it are woken.
 */
export async function checkSource(
  db: Database,
  source: string,
  connector: Connector,
): Promise<SourceCheck> {
  const findings = await connector.check();
  const loginWorks = findings.some(
    ({ check, verdict }) => check === 'service-login' && verdict === 'ok',
  );
  if (loginWorks && (await reopenSource(db, source, 'by_worker', 'worker')))
    log.info('the service login at a source works again; accounts that wait for it are woken', {
      source,
    });
  const reported = await connector.policies?.();
  return { findings, policies: reported?.result === 'policies' ? reported.policies : [] };
}
