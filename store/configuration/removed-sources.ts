import { keepSeriesOf } from '../../telemetry/counter-by-source';
import type { Database } from '../database';
import { currentConfiguration } from './versions';

/** Ends the series that this process counts for sources which the configuration no longer has. */
export async function endRemovedSeries(db: Database): Promise<void> {
  const { configuration } = await currentConfiguration(db);
  await keepSeriesOf(Object.keys(configuration.sources));
}
