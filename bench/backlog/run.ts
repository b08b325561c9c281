import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Report } from '../../local/debian';
import { serverDir } from '../../local/places';
import { freePort } from '../../local/ports';
import { startSlapd } from '../../local/slapd';
import { startStack } from '../../local/stack';
import { emptyStateDir } from '../../local/state-dir';
import { type OpenDatabase, openDatabase } from '../../store/database';
import { benchDirectories } from '../directories';
import { openLockstep } from '../lockstep';
import { crowdOf } from '../people';
import { type Cost, costOf, costSince, type Watched } from '../processes';
import type { Round } from '../round';
import type { Table } from '../table';
import { startGate } from './gate';

/** Changes that are accepted while a source is down, and that end when it is up again. */
export interface Backlog {
  readonly changes: number;
  /** Changes with the source up, before anything waits. */
  readonly empty: Phase;
  /** From the first request until every change waits for nothing but the source that is down. */
  readonly planned: Phase;
  /** From the moment at which the source is up until every change has ended. */
  readonly drained: Phase;
}

interface Phase {
  readonly perSecond: number;
  /** CPU milliseconds per change, by process. */
  readonly cpuMs: Cost;
}

const IN_FLIGHT = 16;
const WARM_UP_MS = 20_000;
const EMPTY_MS = 6_000;
const LOOK_EVERY_MS = 500;

/**
 * Measures a backlog: every person has five accounts, two of them in the source that is down, and is changed once, because
 * a second change would supersede the first.
 */
export async function benchBacklog(
  changes: number,
  report: Report,
  interrupted: Promise<never>,
): Promise<Backlog> {
  mkdirSync('.lockstep', { recursive: true });
  const stateDir = mkdtempSync(path.resolve('.lockstep', 'bench-'));
  const stops: (() => Promise<void>)[] = [];
  const opened = <Part extends { stop(): Promise<void> }>(part: Part): Part => {
    stops.push(() => part.stop());
    return part;
  };
  try {
    const people = crowdOf(changes);
    const { directories, secretFiles } = benchDirectories(stateDir, people);
    const dir = serverDir(stateDir, 'slapd');
    const slapd = opened(await startSlapd({ dir, port: await freePort(), directories, report }));
    const gate = opened(await startGate(Number(new URL(slapd.url).port)));
    const stack = opened(await startStack({ stateDir, report }));
    const { worker, api, engine, postgres } = stack.pids();
    if (engine === null || postgres === null || stack.postgres === null)
      throw new Error('The backlog is measured on servers that the bench starts');
    const watched = { worker, api, engine, PostgreSQL: postgres, slapd: slapd.pid };
    const { apiUrl, adminKeyFile } = stack;
    report(`adding ${changes} people`);
    const urls = { apps: `ldaps://127.0.0.1:${gate.port}` };
    const setup = { apiUrl, adminKeyFile, slapd, secretFiles, watched, people, urls };
    const lockstep = await openLockstep(setup);
    const url = new URL(stack.postgres.url);
    url.pathname = 'lockstep';
    const database = openDatabase(url.href, 'lockstep bench', 1);
    opened({ stop: () => database.close() });
    const measured = (async () => {
      report('warming up');
      await lockstep.round('end', { inFlight: IN_FLIGHT, windowMs: WARM_UP_MS });
      const empty = await lockstep.round('end', { inFlight: IN_FLIGHT, windowMs: EMPTY_MS });
      await gate.shut();
      report('the source is down');
      const planned = await phase(changes, watched, async () => {
        await lockstep.post(people);
        await settled(database, "state <> 'waiting'");
      });
      await gate.open();
      report('the source is up');
      const drained = await phase(changes, watched, () => settled(database, 'true'));
      return { changes, empty: phaseOf(empty), planned, drained };
    })();
    return await Promise.race([measured, interrupted]);
  } finally {
    for (const stop of stops.reverse()) await stop();
    emptyStateDir(stateDir);
    rmSync(stateDir, { recursive: true });
  }
}

async function phase(changes: number, watched: Watched, work: () => Promise<void>): Promise<Phase> {
  const [before, began] = [costOf(watched), performance.now()];
  await work();
  const seconds = (performance.now() - began) / 1000;
  const cost = costSince(before, costOf(watched));
  return phaseOf({ changes, seconds, cost });
}

function phaseOf({ changes, seconds, cost }: Pick<Round, 'changes' | 'seconds' | 'cost'>): Phase {
  const cpuMs = Object.fromEntries(Object.entries(cost).map(([name, ms]) => [name, ms / changes]));
  return { perSecond: changes / seconds, cpuMs };
}

/** Resolves when no open change satisfies this condition. */
async function settled({ pool }: OpenDatabase, condition: string): Promise<void> {
  for (;;) {
    const { rows } = await pool.query(
      `select 1 from change where ended_at is null and ${condition} limit 1`,
    );
    if (rows.length === 0) return;
    await sleep(LOOK_EVERY_MS);
  }
}

export const backlogTable = ({ changes, empty, planned, drained }: Backlog): Table => ({
  title: `${changes} changes accepted while a source with two of five accounts is down`,
  textFrom: 2,
  head: ['per second', 'CPU ms per change', 'phase', 'of which'],
  rows: [
    phaseRow('changes with every source up, before', empty),
    phaseRow('planned while it is down', planned),
    phaseRow('ended after it is up again', drained),
  ],
});

function phaseRow(name: string, { perSecond, cpuMs }: Phase): string[] {
  const parts = Object.entries(cpuMs);
  const all = parts.reduce((sum, [, ms]) => sum + ms, 0);
  const shown = parts.map(([process, ms]) => `${process} ${ms.toFixed(1)}`).join(', ');
  return [perSecond.toFixed(1), all.toFixed(0), name, shown];
}
