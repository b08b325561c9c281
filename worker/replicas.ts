import type { Dependencies } from '../activities/dependencies';
import { log } from '../log';
import { currentConfiguration } from '../store/configurations';
import { saveReplicas } from '../store/replicas';
import { readSourceStates } from '../store/source-state';
import { type Loop, startLoop } from './loop';

const EVERY_MS = 10 * 60_000;

/** Asks the sources whose captures are taken which servers they have, each of which may need a relay. */
export const startReplicas = (deps: Pick<Dependencies, 'db' | 'connector'>): Loop =>
  startLoop({ name: 'replicas', everyMs: EVERY_MS }, async () => {
    await lookAtReplicas(deps);
    return false;
  });

export async function lookAtReplicas({
  db,
  connector,
}: Pick<Dependencies, 'db' | 'connector'>): Promise<void> {
  const { configuration } = await currentConfiguration(db);
  const troubled = await readSourceStates(db);
  for (const [source, settings] of Object.entries(configuration.sources)) {
    if (!settings.enabled || settings.capture?.enabled !== true || troubled.has(source)) continue;
    const told = await (await connector(source, settings)).replicas?.();
    if (told?.result === 'replicas') await saveReplicas(db, source, told.replicas);
    else if (told !== undefined)
      log.warn('a source does not tell its servers', { source, reason: told.reason });
  }
}
