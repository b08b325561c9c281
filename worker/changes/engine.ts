import { Client } from '@temporalio/client';
import type { Dependencies } from '../../activities/dependencies';
import { SAY_EVERY_MS, sayPresent } from '../../store/presence';
import { startLoop } from '../loop';
import { type EngineSettings, serveChanges } from './serve';
import { connectEngine } from './temporal';

export interface EngineSide {
  /** What is missing before changes are carried out. */
  readonly missing: () => readonly string[];
  /** Resolves when everything here has stopped; rejects when the engine made going on impossible. */
  readonly ended: Promise<void>;
}

/** Everything of the worker that needs the engine. It waits for the engine as long as it takes. */
export function startEngineSide(
  deps: Dependencies,
  settings: EngineSettings,
  stopping: AbortSignal,
): EngineSide {
  let client: Client | null = null;
  let reachable = false;
  const run = async (): Promise<void> => {
    const presence = startLoop({ name: 'presence', everyMs: SAY_EVERY_MS }, async () => {
      reachable = client !== null && (await isReachable(client));
      await sayPresent(deps.db, settings.workerId, reachable);
      return false;
    });
    try {
      const connection = await connectEngine(settings.address, stopping);
      if (connection === null) return;
      client = new Client({ connection, namespace: settings.namespace });
      presence.wake();
      await serveChanges(deps, settings, connection, client, stopping);
      await connection.close();
    } finally {
      await presence.stop();
    }
  };
  return { missing: () => (reachable ? [] : ['engine']), ended: run() };
}

async function isReachable(client: Client): Promise<boolean> {
  try {
    await client.connection.withDeadline(Date.now() + 2_000, () =>
      client.workflowService.getSystemInfo({}),
    );
    return true;
  } catch {
    return false;
  }
}
