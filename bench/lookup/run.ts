import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { accountRulesOf } from '../../connectors/registry';
import type { Report } from '../../local/debian';
import { openLookup } from '../../local/lookup';
import { serverDir } from '../../local/places';
import { createDatabase, startPostgres } from '../../local/postgres';
import { emptyStateDir } from '../../local/state-dir';
import { openDatabase } from '../../store/database';
import { migrate } from '../../store/migrate';
import { openKeyDirectory } from '../../store/worker/keys/key-directory';
import { costOf, costSince } from '../processes';
import { quantile, sum } from '../statistics';
import type { Table } from '../table';
import { APPLICATION, addReaders, type Reader } from './readers';

/** How fast the lookup service answers one kind of request. */
export interface LookupSpeed {
  readonly request: string;
  readonly inFlight: number;
  readonly perSecond: number;
  readonly ms: { readonly p50: number; readonly p99: number };
  /** CPU milliseconds per request, of the service and of PostgreSQL. */
  readonly cpuMs: number;
}

/** Milliseconds of each measurement. */
export const efforts = {
  quick: { people: 5, warmUpMs: 200, windowMs: 500 },
  full: { people: 200, warmUpMs: 3_000, windowMs: 10_000 },
} as const;

type Effort = (typeof efforts)[keyof typeof efforts];

/** Measures the built lookup service on a PostgreSQL that stores durably, each reader with a key of their own. */
export async function benchLookup(
  { people, warmUpMs, windowMs }: Effort,
  report: Report,
  interrupted: Promise<never>,
): Promise<LookupSpeed[]> {
  mkdirSync('.lockstep', { recursive: true });
  const stateDir = mkdtempSync(path.resolve('.lockstep', 'bench-'));
  const stops: (() => Promise<void>)[] = [];
  try {
    const postgres = await startPostgres({ dir: serverDir(stateDir, 'postgres'), report });
    stops.push(() => postgres.stop());
    const url = await createDatabase(postgres, 'lockstep');
    const database = openDatabase(url, 'lockstep bench', 4);
    stops.push(() => database.close());
    await migrate(database.db, accountRulesOf);
    const keyDir = path.join(stateDir, 'keys');
    const master = await (await openKeyDirectory(keyDir)).currentMasterKey();
    report(`adding ${people} people`);
    const readers = await addReaders(database.db, master, people);
    const lookup = await openLookup(
      {
        keys: keyDir,
        lookupLog: path.join(stateDir, 'lookup.log'),
        lookupPassword: path.join(stateDir, 'lookup-password'),
      },
      { url, env: {}, server: postgres, stop: () => postgres.stop() },
    );
    if (lookup === null) throw new Error('The lookup service did not start');
    stops.push(() => lookup.process.stop());
    const watched = { lookup: lookup.process.pid(), PostgreSQL: postgres.pid };
    const measured: LookupSpeed[] = [];
    const measure = async () => {
      for (const { request, inFlight, send } of requests(lookup.url)) {
        await load(readers, send, inFlight, warmUpMs);
        const before = costOf(watched);
        const times = await load(readers, send, inFlight, windowMs);
        const cost = sum(Object.values(costSince(before, costOf(watched))));
        const speed = speedOf(request, inFlight, windowMs, times, cost);
        report(`${request}, ${inFlight} in flight: p99 ${speed.ms.p99.toFixed(1)} ms`);
        measured.push(speed);
      }
      return measured;
    };
    return await Promise.race([measure(), interrupted]);
  } finally {
    for (const stop of stops.reverse()) await stop();
    emptyStateDir(stateDir);
    rmSync(stateDir, { recursive: true });
  }
}

type Send = (reader: Reader) => Promise<void>;

function requests(url: string): { request: string; inFlight: number; send: Send }[] {
  const call = async ({ key }: Reader, route: string, body?: object) => {
    const answer = await fetch(`${url}/v1/${route}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`The lookup service answered ${answer.status}`);
    return (await answer.json()) as { readonly ticket?: string };
  };
  const read: Send = async (reader) => void (await call(reader, `credentials/${APPLICATION}`));
  const exchange: Send = async (reader) => {
    const { ticket } = await call(reader, 'tickets', { application: APPLICATION });
    const { name: sender } = reader;
    await call(reader, 'tickets/redeem', { application: APPLICATION, ticket, sender });
  };
  return [1, 16].flatMap((inFlight) => [
    { request: 'a credential', inFlight, send: read },
    { request: 'a ticket, issued and redeemed', inFlight, send: exchange },
  ]);
}

/** Keeps this many requests in flight. @returns the milliseconds of each that began in the window */
async function load(
  readers: readonly Reader[],
  send: Send,
  inFlight: number,
  windowMs: number,
): Promise<number[]> {
  const times: number[] = [];
  const end = performance.now() + windowMs;
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let began = performance.now(); began < end; began = performance.now()) {
      const reader = readers[next++ % readers.length];
      if (reader !== undefined) await send(reader);
      times.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return times;
}

const speedOf = (
  request: string,
  inFlight: number,
  windowMs: number,
  times: readonly number[],
  cost: number,
): LookupSpeed => ({
  request,
  inFlight,
  perSecond: (times.length / windowMs) * 1000,
  ms: { p50: quantile(times, 0.5), p99: quantile(times, 0.99) },
  cpuMs: cost / times.length,
});

export const lookupTable = (measured: readonly LookupSpeed[]): Table => ({
  title: 'Lookup service, each read recorded in the audit',
  textFrom: 5,
  head: ['in flight', 'p50 ms', 'p99 ms', 'per second', 'CPU ms each', 'request'],
  rows: measured.map(({ request, inFlight, perSecond, ms, cpuMs }) => [
    String(inFlight),
    ms.p50.toFixed(1),
    ms.p99.toFixed(1),
    perSecond.toFixed(0),
    cpuMs.toFixed(1),
    request,
  ]),
});
