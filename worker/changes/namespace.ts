import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import Long from 'long';
import { log } from '../../log';
import type { EngineProblem } from '../../model/engine-problem';
import { createSearchAttributes, missingSearchAttributes } from './search-attributes';

/** What keeps changes from starting in this namespace; `lacks` names the search attributes, as `name=type`. */
export interface NamespaceState {
  readonly problem: EngineProblem | null;
  readonly lacks: readonly string[];
}

const PATIENCE_MS = 3_000;

/** Temporal takes some seconds until it knows a new namespace everywhere. */
const KNOWN_WITHIN_MS = 15_000;
const LOOK_MS = 250;

/** A closed workflow is kept this long in a namespace that the worker creates: the longest a change takes by default. */
const RETENTION_SECONDS = 72 * 3600;

/** Status codes of gRPC (https://grpc.io/docs/guides/status-codes/). */
const [NOT_FOUND, PERMISSION_DENIED, UNAUTHENTICATED] = [5, 7, 16];

/**
 * Checks whether changes can run in the namespace. What is missing is created if Temporal lets the worker do that: the
 * namespace, and the search attributes.
 */
export async function prepareNamespace(
  client: Client,
  connection: NativeConnection,
  namespace: string,
): Promise<NamespaceState> {
  const problem = await describe(client, namespace);
  if (problem === 'no_namespace' && (await created(client, connection, namespace)))
    return prepared(connection, namespace);
  return problem === null ? prepared(connection, namespace) : { problem, lacks: [] };
}

async function prepared(connection: NativeConnection, namespace: string): Promise<NamespaceState> {
  let lacks = await missingSearchAttributes(connection, namespace);
  if (lacks.length > 0 && (await createSearchAttributes(connection, namespace, lacks)))
    lacks = await missingSearchAttributes(connection, namespace);
  return { problem: lacks.length > 0 ? 'search_attributes' : null, lacks };
}

async function describe(client: Client, namespace: string): Promise<EngineProblem | null> {
  try {
    await client.connection.withDeadline(Date.now() + PATIENCE_MS, () =>
      client.workflowService.describeNamespace({ namespace }),
    );
    return null;
  } catch (error) {
    return problemOf(error);
  }
}

/** Sorts an error of the connection, which has no code, or of a request to Temporal. */
export function problemOf(error: unknown): EngineProblem {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (code === NOT_FOUND) return 'no_namespace';
  if (code === PERMISSION_DENIED || code === UNAUTHENTICATED) return 'refused';
  const text = typeof message === 'string' ? message : '';
  if (/InvalidCertificate|invalid peer certificate/.test(text)) return 'certificate';
  const isRefused =
    /received fatal alert|valid authentication credentials|does not have permission/.test(text);
  return isRefused ? 'refused' : 'unreachable';
}

/** Creates the namespace, and waits until Temporal knows it. @returns whether that succeeded */
async function created(
  client: Client,
  connection: NativeConnection,
  namespace: string,
): Promise<boolean> {
  try {
    await client.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: { seconds: Long.fromNumber(RETENTION_SECONDS) },
    });
  } catch {
    return false;
  }
  log.info('the worker created the Temporal namespace', { code: namespace });
  for (const began = Date.now(); Date.now() - began < KNOWN_WITHIN_MS; await sleep(LOOK_MS)) {
    const isKnown = await missingSearchAttributes(connection, namespace).then(
      () => true,
      () => false,
    );
    if (isKnown) return true;
  }
  return false;
}
