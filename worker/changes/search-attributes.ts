import type { NativeConnection } from '@temporalio/worker';
import { searchAttributes } from '../../workflows/names';

/** Numbers of the types in the protocol of Temporal (temporal.api.enums.v1.IndexedValueType). */
const types = { Keyword: 2, Int: 3, KeywordList: 7 } as const;

/** The type that each of our search attributes needs in the namespace. */
const needed: Readonly<Record<string, keyof typeof types>> = {
  [searchAttributes.state]: 'Keyword',
  [searchAttributes.group]: 'KeywordList',
  [searchAttributes.sources]: 'KeywordList',
  [searchAttributes.failed]: 'Int',
};

const PATIENCE_MS = 2_000;

/** Status codes of gRPC (https://grpc.io/docs/guides/status-codes/). */
const [PERMISSION_DENIED, UNIMPLEMENTED] = [7, 12];

/**
 * Creates search attributes, given as `name=type`. One that exists with another type stays as it is.
 * @returns whether Temporal let the worker create them
 */
export async function createSearchAttributes(
  connection: NativeConnection,
  namespace: string,
  missing: readonly string[],
): Promise<boolean> {
  const searchAttributes = Object.fromEntries(
    Object.entries(needed)
      .filter(([name, type]) => missing.includes(`${name}=${type}`))
      .map(([name, type]) => [name, types[type]]),
  );
  try {
    await connection.withDeadline(Date.now() + PATIENCE_MS, () =>
      connection.operatorService.addSearchAttributes({ namespace, searchAttributes }),
    );
    return true;
  } catch {
    return false;
  }
}

/**
 * Returns the search attributes that the namespace lacks, as `name=type`. Temporal starts no workflow that uses one of
 * them. Empty also where Temporal does not let the worker list them, as Temporal Cloud does not.
 * @throws the error of Temporal, for example while it does not know a new namespace yet
 */
export async function missingSearchAttributes(
  connection: NativeConnection,
  namespace: string,
): Promise<readonly string[]> {
  try {
    const { customAttributes } = await connection.withDeadline(Date.now() + PATIENCE_MS, () =>
      connection.operatorService.listSearchAttributes({ namespace }),
    );
    return Object.entries(needed)
      .filter(([name, type]) => Number(customAttributes[name]) !== types[type])
      .map(([name, type]) => `${name}=${type}`);
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code === PERMISSION_DENIED || code === UNIMPLEMENTED) return [];
    throw error;
  }
}
