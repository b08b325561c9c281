import { ApplicationFailure } from '@temporalio/common';
import {
  DefaultLogger,
  makeTelemetryFilterString,
  NativeConnection,
  Runtime,
} from '@temporalio/worker';
import { log } from '../../log';
import { changeStates } from '../../model/change/change';
import type { EngineLogin } from './engine-login';

/**
 * Sends the log lines of the Temporal SDK and its core through our own log, which never contains the text of an
 * error. Call it once, before any other part of the SDK.
 */
export function installRuntime(): void {
  Runtime.install({
    shutdownSignals: [],
    logger: new DefaultLogger('WARN', ({ level, message, meta }) => {
      // The SDK warns about each queue that serves only activities, as the queues of sources do on purpose.
      if (message.startsWith('No workflows registered')) return;
      // It also warns about each workflow that fails, which is how a change ends that did not reach every account.
      if (message === 'Workflow failed' && isReportedEnd(meta?.error)) return;
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

const isReportedEnd = (error: unknown): boolean =>
  error instanceof ApplicationFailure && Object.hasOwn(changeStates, error.type ?? '');

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : undefined;

const RETRY_MS = 1_000;

/** Requests are a few kilobytes. By default the SDK compresses each, which costs CPU time here and in the engine. */
const UNCOMPRESSED = { codec: 'none' } as const;

/**
 * Connects to the engine, and tries again every second until it succeeds. Changes are accepted in the meantime.
 * @param onFailure is called with the error of each attempt
 * @returns null when `stopping` was aborted first
 */
export async function connectEngine(
  address: string,
  { tls, apiKey }: EngineLogin,
  stopping: AbortSignal,
  onFailure: (error: unknown) => void,
): Promise<NativeConnection | null> {
  while (!stopping.aborted) {
    try {
      const key = apiKey();
      return await NativeConnection.connect({
        address,
        tls: tls ?? false,
        grpcCompression: UNCOMPRESSED,
        ...(key === null ? {} : { apiKey: key }),
      });
    } catch (error) {
      onFailure(error);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
  return null;
}
