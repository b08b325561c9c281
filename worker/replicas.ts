import type { Dependencies } from '../activities/dependencies';
import { log } from '../log';
import type { SourceConfiguration } from '../model/configuration/document';
import { currentConfiguration } from '../store/configuration/versions';
import { saveReplicas } from '../store/sources/replicas';
import { readSourceStates } from '../store/sources/state';
import { type Loop, startLoop } from './loop';

const EVERY_MS = 10 * 60_000;

/**
 * Starts a loop that, every ten minutes, asks each source with captures which servers it has. Each server may need a
 * relay.
 */
export const startReplicas = (deps: Asking): Loop =>
  startLoop({ name: 'replicas', everyMs: EVERY_MS }, async () => {
    await lookAtReplicas(deps);
    return false;
  });

type Asking = Pick<Dependencies, 'db' | 'connector'>;

/** Asks each source with captures, unless it is down or paused, which servers it has, and saves them. */
export async function lookAtReplicas(deps: Asking): Promise<void> {
  const { configuration } = await currentConfiguration(deps.db);
  const troubled = await readSourceStates(deps.db);
  for (const [source, settings] of Object.entries(configuration.sources)) {
    if (!settings.enabled || settings.capture?.enabled !== true || troubled.has(source)) continue;
    // If the connector of one source cannot be opened, the other sources are still asked.
    await refreshReplicas(deps, source, settings).catch((error) =>
      log.warn('a source could not be asked for its servers and is asked again in ten minutes', {
        source,
        error,
      }),
    );
  }
}

async function refreshReplicas(
  { db, connector }: Asking,
  source: string,
  settings: SourceConfiguration,
): Promise<void> {
  const answer = await (await connector(source, settings)).replicas?.();
  if (answer?.result === 'replicas') await saveReplicas(db, source, answer.replicas);
  else if (answer !== undefined)
    log.warn('a source did not return its servers and is asked again in ten minutes', {
      source,
      reason: answer.reason,
    });
}
