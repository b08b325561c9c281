import type { Dependencies } from '../../activities/dependencies';
import { beginMaintenance } from '../../activities/shared/maintenance';
import { log } from '../../log';
import { limitsOf } from '../../model/configuration/limits';
import { maintenanceEnd } from '../../model/configuration/maintenance';
import { readPauses, reopenSource, type TroubleEnd } from '../../store/sources/state';
import { sourcesWithLines, wakeNextInLine } from '../../store/worker/turns';

type Deps = Pick<Dependencies, 'db' | 'configuration'>;

/** Begins and ends the maintenance windows of sources, and ends the pauses of operators whose time has come. */
export async function keepPauses({ db, configuration }: Deps): Promise<void> {
  const { sources } = (await configuration(Number.POSITIVE_INFINITY)).configuration;
  const windowsOf = (name: string) => sources[name]?.maintenance ?? [];
  const maintained = Object.keys(sources).filter((name) => windowsOf(name).length > 0);
  const { now, pauses } = await readPauses(db);
  for (const name of maintained) {
    const end = maintenanceEnd(windowsOf(name), now)?.getTime();
    const isKept = pauses.some(
      ({ source, by, until }) =>
        source === name && by === 'maintenance' && until?.getTime() === end,
    );
    if (!isKept)
      await beginMaintenance(db, { name, configuration: { maintenance: windowsOf(name) } }, now);
  }
  for (const { source, by, until } of pauses) {
    if (by === 'maintenance' && maintenanceEnd(windowsOf(source), now) === null)
      await resume(db, source, 'maintenance');
    else if (until !== null && until <= now) await resume(db, source, 'in_time');
  }
}

async function resume(db: Deps['db'], source: string, ended: TroubleEnd): Promise<void> {
  if (await reopenSource(db, source, ended, 'worker'))
    log.info('the pause of a source has ended; the accounts that wait for it are woken', {
      source,
    });
}

/** Wakes the accounts whose turn it is at sources with limits, and all that wait where the limits were removed. */
export async function giveTurns({ db, configuration }: Deps): Promise<void> {
  const waiting = await sourcesWithLines(db);
  if (waiting.length === 0) return;
  const { sources } = (await configuration(Number.POSITIVE_INFINITY)).configuration;
  for (const name of waiting) await wakeNextInLine(db, name, limitsOf(sources[name] ?? {}));
}
