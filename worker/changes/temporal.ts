import {
  DefaultLogger,
  makeTelemetryFilterString,
  NativeConnection,
  Runtime,
} from '@temporalio/worker';
import { log } from '../../log';

/** The SDK and its core log through our own log, whose lines hold no text of errors. */
export function installRuntime(): void {
  Runtime.install({
    shutdownSignals: [],
    logger: new DefaultLogger('WARN', ({ level, message, meta }) => {
      // Said of every queue that serves sources only, which is meant so.
      if (message.startsWith('No workflows registered')) return;
      const fields = { changeId: textOf(meta?.workflowId), error: meta?.error };
      if (level === 'ERROR') log.error(`temporal: ${message}`, fields);
      else log.warn(`temporal: ${message}`, fields);
    }),
    telemetryOptions: {
      logging: {
        forward: {},
        filter: makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }),
      },
    },
  });
}

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : undefined;

const RETRY_MS = 1_000;

/** Waits for the engine for as long as it takes; changes are accepted meanwhile. */
export async function connectEngine(
  address: string,
  stopping: AbortSignal,
): Promise<NativeConnection | null> {
  let told = false;
  while (!stopping.aborted) {
    try {
      return await NativeConnection.connect({ address });
    } catch {
      if (!told)
        log.warn('the engine cannot be reached; changes are accepted and wait', { address });
      told = true;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
  return null;
}
