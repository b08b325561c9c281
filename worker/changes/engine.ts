import { Client } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import type { Dependencies } from '../../activities/dependencies';
import { environment } from '../../config';
import { log } from '../../log';
import { engineProblems } from '../../model/engine-problem';
import { PRESENCE_INTERVAL_MS, reportPresence } from '../../store/presence';
import { noKeyStore, watchKeyStore } from '../key-store';
import { startLoop } from '../loop';
import { type NamespaceState, prepareNamespace, problemOf } from './namespace';
import { type EngineSettings, serveChanges } from './serve';
import { serveBoundSources } from './serve-sources';
import { connectEngine } from './temporal';

export interface EngineSide {
  /** The services that are missing before every change can be carried out; empty when the worker is ready. */
  readonly missing: () => readonly string[];
  /**
   * Resolves when all parts that need the engine have stopped. Rejects when an error of the engine prevents the
   * worker from going on.
   */
  readonly ended: Promise<void>;
}

const PATIENCE_MS = 2_000;

/** What each worker needs for the engine. */
type Reaching = Pick<EngineSettings, 'address' | 'namespace' | 'login' | 'workerId' | 'servers'>;

type Serve = (client: Client, connection: NativeConnection) => Promise<void>;

/** Starts the parts of the worker that need the engine. They wait for the engine for any length of time. */
export const startEngineSide = (
  deps: Dependencies,
  settings: EngineSettings,
  stopping: AbortSignal,
): EngineSide =>
  reachEngine(deps, settings, stopping, (client, connection) =>
    serveChanges(deps, settings, connection, client, stopping),
  );

/** The same for a bound worker. */
export const startBoundSide = (
  deps: Dependencies,
  settings: Reaching,
  stopping: AbortSignal,
): EngineSide =>
  reachEngine(deps, settings, stopping, (_client, connection) =>
    serveBoundSources(deps, settings, connection, stopping),
  );

function reachEngine(
  deps: Dependencies,
  settings: Reaching,
  stopping: AbortSignal,
  serve: Serve,
): EngineSide {
  const { address, namespace, login, workerId } = settings;
  let state: NamespaceState = { problem: 'unreachable', lacks: [] };
  let look: (() => Promise<NamespaceState>) | null = null;
  let onUsable = (): void => {};
  const usable = new Promise<void>((resolve) => {
    onUsable = resolve;
  });
  let logged: NamespaceState['problem'] = null;
  const note = (found: NamespaceState): void => {
    state = found;
    if (found.problem !== null && found.problem !== logged)
      log.warn(
        `the worker cannot use the engine; changes are accepted and wait. ${engineProblems[found.problem]}`,
        { address, reason: found.problem, code: found.lacks.join(' ') },
      );
    logged = found.problem;
    if (found.problem === null) onUsable();
  };
  const keyStore = deps.boundTo === undefined ? watchKeyStore(deps) : noKeyStore;
  const run = async (): Promise<void> => {
    const presence = startLoop({ name: 'presence', everyMs: PRESENCE_INTERVAL_MS }, async () => {
      if (look !== null) note(await look());
      await reportPresence(deps.db, workerId, {
        engineProblem: state.problem,
        engineLacks: state.lacks,
        ...(await keyStore.look()),
        sources: deps.boundTo ?? null,
        ...(settings.servers !== undefined && { servers: settings.servers() }),
        secrets: {
          folder: environment.LOCKSTEP_SECRETS_DIR,
          prefix: environment.LOCKSTEP_SECRETS_PREFIX,
        },
      });
      return false;
    });
    try {
      const connection = await connectEngine(address, login, stopping, (error) =>
        note({ problem: problemOf(error), lacks: [] }),
      );
      if (connection === null) return;
      const client = new Client({ connection, namespace });
      look = namespaceWatch(client, connection, settings);
      presence.wake();
      if (await isAbortedBefore(usable, stopping)) return;
      await serve(client, connection);
      await connection.close();
    } finally {
      await presence.stop();
    }
  };
  return {
    missing: () => [
      ...(state.problem === null ? [] : [`engine (${state.problem})`]),
      ...keyStore.missing(),
    ],
    ended: run(),
  };
}

/** Resolves when `awaited` does, or with true when `stopping` is aborted first. */
function isAbortedBefore(awaited: Promise<void>, stopping: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (stopping.aborted) resolve(true);
    stopping.addEventListener('abort', () => resolve(true));
    void awaited.then(() => resolve(false));
  });
}

/**
 * Makes a function that looks whether the engine can be used. A namespace that lacked nothing once is not prepared
 * again, because search attributes are not removed.
 */
function namespaceWatch(
  client: Client,
  connection: NativeConnection,
  { namespace, login }: Reaching,
): () => Promise<NamespaceState> {
  let isPrepared = false;
  let usedKey: string | null = null;
  return async () => {
    try {
      const key = login.apiKey();
      if (key !== null && key !== usedKey) await connection.setApiKey(key);
      usedKey = key;
      if (!isPrepared) {
        const state = await prepareNamespace(client, connection, namespace);
        isPrepared = state.problem === null;
        return state;
      }
      await client.connection.withDeadline(Date.now() + PATIENCE_MS, () =>
        client.workflowService.getSystemInfo({}),
      );
      return { problem: null, lacks: [] };
    } catch (error) {
      return { problem: problemOf(error), lacks: [] };
    }
  };
}
