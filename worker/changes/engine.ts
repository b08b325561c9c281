import { Client } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import type { Dependencies } from '../../activities/dependencies';
import { environment } from '../../config';
import { log } from '../../log';
import { PRESENCE_INTERVAL_MS, reportPresence } from '../../store/presence';
import { startLoop } from '../loop';
import { missingSearchAttributes } from './search-attributes';
import { type EngineSettings, serveChanges } from './serve';
import { connectEngine } from './temporal';

export interface EngineSide {
  /** The services that are missing before changes can be carried out; empty when the worker is ready. */
  readonly missing: () => readonly string[];
  /**
   * Resolves when all parts that need the engine have stopped. Rejects when an error of the engine prevents the
   * worker from going on.
   */
  readonly ended: Promise<void>;
}

/** Starts the parts of the worker that need the engine. They wait for the engine for any length of time. */
export function startEngineSide(
  deps: Dependencies,
  settings: EngineSettings,
  stopping: AbortSignal,
): EngineSide {
  let client: Client | null = null;
  let connection: NativeConnection | null = null;
  let reachable = false;
  const lacking = searchAttributeWatch();
  const run = async (): Promise<void> => {
    const presence = startLoop({ name: 'presence', everyMs: PRESENCE_INTERVAL_MS }, async () => {
      reachable = client !== null && (await isReachable(client));
      const lacks = reachable && connection ? await lacking(connection, settings.namespace) : [];
      await reportPresence(deps.db, settings.workerId, reachable, {
        engineLacks: lacks,
        secrets: {
          folder: environment.LOCKSTEP_SECRETS_DIR,
          prefix: environment.LOCKSTEP_SECRETS_PREFIX,
        },
      });
      return false;
    });
    try {
      connection = await connectEngine(settings.address, stopping);
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

/**
 * Makes a function that returns the search attributes which the namespace lacks. Once it lacks none, it is not asked
 * again, because search attributes are not removed.
 */
function searchAttributeWatch(): typeof missingSearchAttributes {
  let missing: readonly string[] | null = null;
  return async (connection, namespace) => {
    if (missing?.length === 0) return missing;
    const found = await missingSearchAttributes(connection, namespace);
    if (missing === null && found.length > 0)
      log.error('no change can start: the Temporal namespace lacks search attributes', {
        code: found.join(' '),
      });
    missing = found;
    return found;
  };
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
