import type { Dependencies } from '../activities/dependencies';
import { log } from '../log';
import { sourceNamed } from '../model/configuration';
import { type Errand, finishErrand, takeErrand } from '../store/errands';
import { channels, listen } from '../store/notifications';
import { checkSource } from './check-source';
import { lookAtSource } from './look-at-source';
import { startLoop } from './loop';
import { refreshSource } from './refresh-source';

const LEASE_SECONDS = 300;

export async function startErrands(
  deps: Dependencies,
  databaseUrl: string,
): Promise<{ stop(): Promise<void> }> {
  const loop = startLoop({ name: 'errands', everyMs: 10_000, atOnce: 4 }, () => doErrand(deps));
  const listener = await listen(databaseUrl, [channels.errand], () => loop.wake());
  return {
    async stop() {
      await listener.close();
      await loop.stop();
    },
  };
}

/** Does the oldest open errand. @returns whether there was one */
async function doErrand(deps: Dependencies): Promise<boolean> {
  const errand = await takeErrand(deps.db, LEASE_SECONDS);
  if (errand === null) return false;
  try {
    await finishErrand(deps.db, errand.id, 'done', await carryOut(deps, errand));
  } catch (error) {
    log.error('an errand failed', { source: errand.source, code: errand.kind, error });
    await finishErrand(deps.db, errand.id, 'failed', { code: 'internal' });
  }
  return true;
}

async function carryOut(deps: Dependencies, errand: Errand): Promise<unknown> {
  const { configuration } = await deps.configuration(Number.POSITIVE_INFINITY);
  const source = sourceNamed(configuration, errand.source);
  if (source === undefined) return { code: 'not_found' };
  const connector = await deps.connector(errand.source, source);
  switch (errand.kind) {
    case 'check':
      return checkSource(deps.db, errand.source, connector);
    case 'refresh':
      return refreshSource(deps, errand, source, connector);
    case 'look':
      return lookAtSource(deps.db, errand.source, connector);
  }
}
