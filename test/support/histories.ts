import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { historyFromJSON, historyToJSON } from '@temporalio/common/lib/proto-utils';
import type { EngineAddress } from './lockstep';

type History = ReturnType<typeof historyFromJSON>;

export interface NamedHistory {
  readonly workflowId: string;
  readonly history: History;
}

const dir = path.resolve(__dirname, '..', 'histories');

/**
 * The stored workflow histories, recorded on real servers; also those in `earlier/`, which were recorded before the
 * workflow was changed the last time.
 */
export const keptHistories = (): NamedHistory[] =>
  readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.json'))
    .map((file) => ({
      workflowId: file.replace(/\.json$/, ''),
      history: historyFromJSON(JSON.parse(readFileSync(path.join(dir, file), 'utf8'))),
    }));

/**
 * Stores the histories of a test run, each under the title of its test, if LOCKSTEP_RECORD_HISTORIES is set. This is needed
 * after an intended change of the workflow that cannot replay the old histories.
 */
export async function recordHistories(
  engine: EngineAddress,
  titles: ReadonlyMap<string, string>,
): Promise<void> {
  if (process.env.LOCKSTEP_RECORD_HISTORIES === undefined) return;
  mkdirSync(dir, { recursive: true });
  for (const { workflowId, history } of await readHistories(engine, [...titles.keys()])) {
    const title = titles.get(workflowId) ?? workflowId;
    const file = path.join(dir, `${slugOf(title)}.json`);
    writeFileSync(file, `${JSON.stringify(JSON.parse(historyToJSON(history)))}\n`);
  }
}

export async function readHistories(
  { address, namespace }: EngineAddress,
  workflowIds: readonly string[],
): Promise<NamedHistory[]> {
  const connection = await Connection.connect({ address });
  try {
    const client = new Client({ connection, namespace });
    return await Promise.all(
      workflowIds.map(async (workflowId) => ({
        workflowId,
        history: (await client.workflow.getHandle(workflowId).fetchHistory()) as History,
      })),
    );
  } finally {
    await connection.close();
  }
}

const MAX_LETTERS = 70;

/** File name for the title of a test, without the titles of its suites so that it stays short. */
function slugOf(title: string): string {
  const slug = title
    .toLowerCase()
    .replace(/ \[rule[^\]]*\]$/, '')
    .replace(
      /^(waiting|changing a password|choosing accounts|the engine|single sign-on mappings|a directory-last group) /,
      '',
    )
    .replace(/[^a-z0-9]+/g, '-');
  return slug.length <= MAX_LETTERS ? slug : slug.slice(0, MAX_LETTERS).replace(/-[^-]*$/, '');
}
