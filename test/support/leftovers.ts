import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { Connection, Client as TemporalClient } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { Client as PgClient } from 'pg';
import { CHANGE_PASSWORD } from '../../workflows/names';
import type { Scanner } from './canary';
import type { EngineAddress } from './lockstep';
import type { TalkativeStack } from './talkative-stack';

/** Whether this system has /proc; without it, processes are not searched. */
export const hasProcFiles = existsSync('/proc/self/environ');

/** Searches everything that a stack stores and shows: files, rows, histories, metrics, and what `ps` shows. */
export async function searchLeftovers(scanner: Scanner, stack: TalkativeStack): Promise<void> {
  // PostgreSQL writes all changes that it holds in memory to its files.
  await query(stack.postgres.url, 'checkpoint');
  await scanner.folder('files', stack.dir);
  for (const database of await databasesOf(stack.postgres.url)) await searchRows(scanner, database);
  await searchHistories(scanner, stack.engine);
  for (const [name, url] of Object.entries(stack.opsUrls))
    scanner.text(`metrics/${name}`, await (await fetch(`${url}/metrics`)).text());
  if (hasProcFiles)
    for (const [name, pid] of Object.entries(stack.pids())) searchProcesses(scanner, name, pid);
}

/** URL of each database. */
const databasesOf = async (serverUrl: string): Promise<string[]> =>
  (await query(serverUrl, 'select datname as text from pg_database where not datistemplate')).map(
    (name) => databaseUrl(serverUrl, name),
  );

function databaseUrl(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = encodeURI(name);
  return url.href;
}

/** Searches the content of a logical dump (every row of every table), the passwords of roles, and the last statements. */
async function searchRows(scanner: Scanner, url: string): Promise<void> {
  const tables = await query(
    url,
    `select oid::regclass::text as text from pg_class
     where relkind in ('r', 'm') and relnamespace::regnamespace::text !~ '^(pg_|information_schema)'`,
  );
  for (const table of [...tables, 'pg_authid', 'pg_stat_activity']) {
    const rows = await query(url, `select one::text as text from ${table} one`);
    scanner.text(`rows${new URL(url).pathname}/${table}`, rows.join('\n'));
  }
}

/** Queries the store. @returns the column `text` of each row */
export const queryStore = (
  { postgres }: TalkativeStack,
  statement: string,
  values: readonly string[],
): Promise<string[]> => query(databaseUrl(postgres.url, 'lockstep'), statement, values);

async function query(
  url: string,
  statement: string,
  values: readonly string[] = [],
): Promise<string[]> {
  const client = new PgClient({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<{ text: string }>(statement, [...values])).rows.map(
      ({ text }) => text,
    );
  } finally {
    await client.end();
  }
}

/** Searches each workflow: its history, its description with memo and search attributes, and its current details. */
async function searchHistories(scanner: Scanner, engine: EngineAddress): Promise<void> {
  const connection = await Connection.connect({ address: engine.address });
  try {
    const client = new TemporalClient({ connection, namespace: engine.namespace });
    for await (const { workflowId, type } of client.workflow.list()) {
      const handle = client.workflow.getHandle(workflowId);
      const [history, described] = await Promise.all([handle.fetchHistory(), handle.describe()]);
      const json = `${historyToJSON(history)}${JSON.stringify(described.raw)}`;
      scanner.text(`histories/${workflowId}`, json);
      scanner.text(`histories/${workflowId} decoded`, decodedPayloads(json));
      if (type !== CHANGE_PASSWORD) continue;
      const details = await handle.query('__temporal_workflow_metadata');
      scanner.text(`details/${workflowId}`, JSON.stringify(details));
    }
  } finally {
    await connection.close();
  }
}

const decodedPayloads = (json: string): Buffer =>
  Buffer.concat(
    Array.from(json.matchAll(/[A-Za-z0-9+/]{8,}={0,2}/g), ([found]) =>
      Buffer.from(found, 'base64'),
    ),
  );

/** Searches the command line and environment of a process and of its children. */
function searchProcesses(scanner: Scanner, name: string, pid: number): void {
  for (const one of [pid, ...childrenOf(pid)])
    for (const file of ['cmdline', 'environ'])
      scanner.text(`processes/${name} ${file}`, readIfThere(`/proc/${one}/${file}`));
}

const childrenOf = (parent: number): number[] =>
  readdirSync('/proc')
    .filter((pid) =>
      new RegExp(`\\) \\S ${parent} `).test(readIfThere(`/proc/${pid}/stat`).toString('latin1')),
    )
    .map(Number);

function readIfThere(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch {
    // The entry is not a process, or the process has ended.
    return Buffer.alloc(0);
  }
}
