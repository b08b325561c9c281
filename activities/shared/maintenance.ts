import { log } from '../../log';
import type { SourceConfiguration } from '../../model/configuration/document';
import { maintenanceEnd } from '../../model/configuration/maintenance';
import type { Database } from '../../store/database';
import { pauseSource } from '../../store/sources/state';

interface MaintainedSource {
  readonly name: string;
  readonly configuration: Pick<SourceConfiguration, 'maintenance'>;
}

/**
 * Pauses a source that is in a maintenance window. Every worker does so at intervals; an attempt asks too, so that none
 * begins before a worker has noticed the window.
 * @param now by the clock of the database
 * @returns whether the source is in a window
 */
export async function beginMaintenance(
  db: Database,
  { name, configuration }: MaintainedSource,
  now: Date,
): Promise<boolean> {
  const end = maintenanceEnd(configuration.maintenance ?? [], now);
  if (end === null) return false;
  if (await pauseSource(db, name, 'source_in_maintenance', 'maintenance', end))
    log.info('a source is in a maintenance window; its accounts wait', { source: name });
  return true;
}
