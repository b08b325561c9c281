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

/**
 * Returns the search attributes that the namespace lacks, as `name=type`. Temporal starts no workflow that uses one of
 * them. Empty also where Temporal does not let the worker list them.
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
  } catch {
    return [];
  }
}
