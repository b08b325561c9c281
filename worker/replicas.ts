import type { Dependencies } from '../activities/dependencies';
import { log } from '../log';
import type { SourceConfiguration } from '../model/configuration/document';
import { currentConfiguration } from '../store/configuration/versions';
import { saveReplicas } from '../store/sources/replicas';
import { readSourceStates } from '../store/sources/state';
import { type Loop, startLoop } from './loop';

const EVERY_MS = 10 * 60_000;

/** Asks the sources whose captures are taken which servers they have, each of which may need a relay. */
export const startReplicas = (deps: Asking): Loop =>
  startLoop({ name: 'replicas', everyMs: EVERY_MS }, async () => {
    await lookAtReplicas(deps);
    return false;
  });

type Asking = Pick<Dependencies, 'db' | 'connector'>;

export async function lookAtReplicas(deps: Asking): Promise<void> {
  const { configuration } = await currentConfiguration(deps.db);
  const troubled = await readSourceStates(deps.db);
  for (const [source, settings] of Object.entries(configuration.sources)) {
    if (!settings.enabled || settings.capture?.enabled !== true || troubled.has(source)) continue;
    // One whose connector cannot be opened keeps nobody from asking the others.
    await lookAt(deps, source, settings).catch((error) =>
      log.warn('a source cannot be asked for its servers', { source, error }),
    );
  }
}

async function lookAt(
  { db, connector }: Asking,
  source: string,
  settings: SourceConfiguration,
): Promise<void> {
  const told = await (await connector(source, settings)).replicas?.();
  if (told?.result === 'replicas') await saveReplicas(db, source, told.replicas);
  else if (told !== undefined)
    log.warn('a source does not tell its servers', { source, reason: told.reason });
}
