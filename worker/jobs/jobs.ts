import type { Dependencies } from '../../activities/dependencies';
import { log } from '../../log';
import { sourceNamed } from '../../model/configuration/document';
import { channels, listen } from '../../store/notifications';
import { type Errand, errandsOfSources, finishErrand, takeErrand } from '../../store/sources/jobs';
import type { ErrandKind } from '../../store/tables';
import { startLoop } from '../loop';
import { answerSignIn } from './answer-sign-in';
import { checkSource } from './check-source';
import { lookAtSource } from './look-at-source';
import { refreshSource } from './refresh-source';

const LEASE_SECONDS = 300;

export async function startErrands(
  deps: Dependencies,
  databaseUrl: string,
): Promise<{ stop(): Promise<void> }> {
  // Somebody waits to be let in: that is not kept waiting by a refresh that takes minutes.
  const loops = [
    startLoop({ name: 'errands', everyMs: 10_000, atOnce: 4 }, () =>
      doErrand(deps, errandsOfSources),
    ),
    startLoop({ name: 'sign-ins', everyMs: 10_000, atOnce: 8 }, () => doErrand(deps, ['sign-in'])),
  ];
  const listener = await listen(databaseUrl, [channels.errand], () => {
    for (const loop of loops) loop.wake();
  });
  return {
    async stop() {
      await listener.close();
      await Promise.all(loops.map((loop) => loop.stop()));
    },
  };
}

/** Does the oldest open errand. @returns whether there was one */
async function doErrand(deps: Dependencies, kinds: readonly ErrandKind[]): Promise<boolean> {
  const errand = await takeErrand(deps.db, LEASE_SECONDS, kinds);
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
  if (errand.kind === 'sign-in') return answerSignIn(deps, errand, source);
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
