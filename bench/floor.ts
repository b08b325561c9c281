import { startForked } from './forked';
import type { Watched } from './processes';
import type { Load, Round } from './round';

/** What the process of the floor needs before its first order. */
export interface FloorSetup {
  readonly engineAddress: string;
  readonly namespace: string;
  readonly watched: Watched;
}

/**
 * The floor of a workflow engine: workflows that do nothing, on the engine that Lockstep uses in the same run. It controls the
 * process that runs `floor-loop.ts`.
 */
export interface Floor {
  round(load: Load): Promise<Round>;
  stop(): Promise<void>;
}

export function startFloor(setup: FloorSetup): Floor {
  const loop = startForked<FloorSetup, Load, Round>('floor-loop.js', setup);
  return { round: (load) => loop.ask(load), stop: loop.stop };
}
