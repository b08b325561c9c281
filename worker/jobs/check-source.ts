import type { Connector } from '../../connectors/contract';
import { log } from '../../log';
import type { Finding, SourceCheck } from '../../model/api/job-results';
import type { SourceConfiguration } from '../../model/configuration/document';
import type { Database } from '../../store/database';
import { reopenSource } from '../../store/sources/state';

/**
 * Checks a source for `lockstep doctor`. If the service login succeeds, a source that the worker had marked as down
 * or paused is up again, and the accounts that wait for it are woken.
 * @param needsRefresh whether a refresh is to link accounts of the source, so that it must be able to list them
 */
export async function checkSource(
  db: Database,
  source: string,
  connector: Connector,
  needsRefresh: boolean,
): Promise<SourceCheck> {
  const findings = (await connector.check()).map((finding) =>
    needsRefresh && isListingWarning(finding) ? { ...finding, verdict: 'wrong' as const } : finding,
  );
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

/** Adds that an adapter is disabled, which no connector can find out. */
export const withDisabledAdapter = (
  { adapter }: Pick<SourceConfiguration, 'adapter'>,
  check: SourceCheck,
): SourceCheck =>
  adapter === undefined || adapter.enabled
    ? check
    : { ...check, findings: [...check.findings, DISABLED] };

const DISABLED: Finding = {
  check: 'adapter-block',
  verdict: 'warning',
  says: 'The adapter is disabled in the configuration, so nothing is written to the source, and its captures are refused. Run "lockstep adapters enable" with its name.',
};

/** A connector reports a list that it cannot read as a warning: only the configuration shows whether a refresh needs it. */
const isListingWarning = ({ check, verdict }: Finding): boolean =>
  check === 'listing' && verdict === 'warning';
