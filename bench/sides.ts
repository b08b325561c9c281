import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { environment } from '../config';
import type { Report } from '../local/debian';
import { serverDir } from '../local/places';
import { freePort } from '../local/ports';
import { startPostgres } from '../local/postgres';
import { startSlapd } from '../local/slapd';
import { startStack } from '../local/stack';
import { emptyStateDir } from '../local/state-dir';
import { startTemporalCluster, type TemporalCluster } from '../local/temporal-cluster';
import { type BareLoop, startBareLoop } from './bare';
import { benchDirectories } from './directories';
import { type Floor, startFloor } from './floor';
import { type LockstepSide, openLockstep } from './lockstep';
import { type Memory, memoryOf } from './processes';

/** What is compared: Lockstep and the bare loop write to the same slapd; the floor uses the engine of Lockstep. */
export interface Sides {
  readonly lockstep: LockstepSide;
  readonly bare: BareLoop;
  readonly floor: Floor;
  readonly engineAddress: string;
  memory(): Readonly<Record<'worker' | 'api', Memory | null>>;
  stop(): Promise<void>;
}

/** The development server of Temporal as after `npm start`, or a Temporal server with its data in PostgreSQL. */
export const engineKinds = ['embedded', 'postgresql'] as const;
export type EngineKind = (typeof engineKinds)[number];

/** Starts all sides. Their data is on the disk of the clone, like that of `npm start`, and is removed at the end. */
export async function openSides(report: Report, engineKind: EngineKind): Promise<Sides> {
  mkdirSync('.lockstep', { recursive: true });
  const stateDir = mkdtempSync(path.resolve('.lockstep', 'bench-'));
  const stops: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const stopPart of stops.splice(0).reverse()) await stopPart();
    emptyStateDir(stateDir);
    rmSync(stateDir, { recursive: true });
  };
  const opened = <Part extends { stop(): Promise<void> }>(part: Part): Part => {
    stops.push(() => part.stop());
    return part;
  };
  try {
    const { directories, secretFiles } = benchDirectories(stateDir);
    const dir = serverDir(stateDir, 'slapd');
    const slapd = opened(await startSlapd({ dir, port: await freePort(), directories, report }));
    const cluster = engineKind === 'embedded' ? null : await openCluster(stateDir, report, opened);
    const stack = opened(
      await startStack({
        stateDir,
        report,
        ...(cluster === null ? {} : { engine: cluster.server }),
      }),
    );
    const { apiUrl, adminKeyFile, engineAddress } = stack;
    const { worker, api, engine, postgres } = stack.pids();
    const watched = {
      worker,
      api,
      ...(engine === null ? {} : { engine }),
      ...(postgres === null ? {} : { PostgreSQL: postgres }),
      ...(cluster === null ? {} : { 'PostgreSQL of the engine': cluster.postgresPid }),
      slapd: slapd.pid,
    };
    report('adding the same people to both sides');
    const lockstep = await openLockstep({ apiUrl, adminKeyFile, slapd, secretFiles, watched });
    const { url, caFile } = slapd;
    const bare = opened(startBareLoop({ url, caFile, secretFiles, watched: { slapd: slapd.pid } }));
    const floor = opened(
      startFloor({
        engineAddress,
        namespace: environment.TEMPORAL_NAMESPACE,
        watched: engine === null ? {} : { engine },
      }),
    );
    const memory = () => ({ worker: memoryOf(worker), api: memoryOf(api) });
    return { lockstep, bare, floor, engineAddress, memory, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A Temporal server with a PostgreSQL of its own, so that the CPU time of both is known. */
async function openCluster(
  stateDir: string,
  report: Report,
  opened: <Part extends { stop(): Promise<void> }>(part: Part) => Part,
): Promise<{ readonly server: TemporalCluster; readonly postgresPid: number }> {
  const postgres = opened(
    await startPostgres({ dir: serverDir(stateDir, 'postgres-of-engine'), report }),
  );
  const dir = path.join(stateDir, 'temporal');
  const server = opened(await startTemporalCluster({ dir, postgres, report }));
  return { server, postgresPid: postgres.pid };
}
