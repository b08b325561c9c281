import type { KeyObject } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { IntakeDependencies, IntakeSettings } from '../../intake/dependencies';
import { watchEpochs } from '../../intake/epochs';
import { openJudge } from '../../intake/policy/check-policy';
import { type ChangeProgress, readProgress } from '../../store/changes/progress';
import { watchConfiguration } from '../../store/configuration/watch';
import type { Database } from '../../store/database';
import { channels, listen } from '../../store/notifications';
import { type Standstill, standstill } from '../../store/presence';
import { type ErrandView, readErrand } from '../../store/sources/jobs';
import { type Authorize, authorizeWith } from './authorize';
import { createHub, type Hub } from './hub';

/** What the routes need of the world. */
export interface Dependencies extends IntakeDependencies {
  readonly authorize: Authorize;
  readonly standstill: () => Promise<Standstill>;
  readonly changes: Hub<ChangeProgress>;
  readonly errands: Hub<ErrandView>;
  readonly settings: Settings;
  /** Whoever waits is answered at once when it fires. */
  readonly stopping: AbortSignal;
}

export interface Settings extends IntakeSettings {
  /** Null until the worker has written it. */
  readonly signer: () => KeyObject | null;
  /** Before the path of every link; empty for links without a host. */
  readonly publicUrl: string;
  /** Of the Web UI, up to the namespace. */
  readonly temporalUrl: string | null;
}

const STANDSTILL_KEPT_MS = 2_000;

export async function openDependencies(
  db: Database,
  databaseUrl: string,
  settings: Settings,
  stopping: AbortSignal,
): Promise<Dependencies & { close(): Promise<void> }> {
  // Everybody who waits listens to it.
  setMaxListeners(0, stopping);
  const changes = createHub((ids) => readProgress(db, ids));
  const errands = createHub((ids) => readErrands(db, ids));
  const judge = openJudge();
  const listener = await listen(databaseUrl, [channels.progress, channels.errand], (channel, id) =>
    (channel === channels.progress ? changes : errands).notify(id),
  );
  return {
    db,
    authorize: authorizeWith(db),
    configuration: watchConfiguration(db),
    keyToSealTo: watchEpochs(db, settings.signer),
    judge,
    standstill: kept(STANDSTILL_KEPT_MS, () => standstill(db)),
    changes,
    errands,
    settings,
    stopping,
    async close() {
      changes.close();
      errands.close();
      await listener.close();
      await judge.close();
    },
  };
}

async function readErrands(
  db: Database,
  ids: readonly string[],
): Promise<ReadonlyMap<string, ErrandView>> {
  const errands = await Promise.all(ids.map((id) => readErrand(db, id)));
  return new Map(errands.flatMap((errand) => (errand === null ? [] : [[errand.id, errand]])));
}

/** What `read` gave, for so long. */
function kept<T>(keptMs: number, read: () => Promise<T>): () => Promise<T> {
  let known: { readonly value: T; readonly until: number } | null = null;
  return async () => {
    if (known === null || performance.now() > known.until)
      known = { value: await read(), until: performance.now() + keptMs };
    return known.value;
  };
}
