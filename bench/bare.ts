import type { SecretFiles } from './directories';
import { startForked } from './forked';
import type { Size } from './people';
import type { Watched } from './processes';
import type { Load, Round } from './round';

/** What the process of the bare loop needs before its first order. */
export interface BareSetup {
  readonly url: string;
  readonly caFile: string;
  readonly secretFiles: SecretFiles;
  readonly watched: Watched;
}

/** A request to the bare loop: run a round of changes, or change the person with `size` accounts once. */
export type BareOrder =
  | { readonly prove: boolean; readonly load: Load }
  | { readonly prove: boolean; readonly size: Size };

/** The result of an order: a round, or the duration of one change in milliseconds. */
export type BareResult = Round | number;

/** Controls the process that runs `bare-loop.ts`. */
export interface BareLoop {
  round(prove: boolean, load: Load): Promise<Round>;
  /** Changes the person with `size` accounts. @returns milliseconds */
  changeOwner(prove: boolean, size: Size): Promise<number>;
  stop(): Promise<void>;
}

export function startBareLoop(setup: BareSetup): BareLoop {
  const loop = startForked<BareSetup, BareOrder, BareResult>('bare-loop.js', setup);
  return {
    round: (prove, load) => loop.ask({ prove, load }),
    changeOwner: (prove, size) => loop.ask({ prove, size }),
    stop: loop.stop,
  };
}
