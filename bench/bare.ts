import { type ChildProcess, fork } from 'node:child_process';
import path from 'node:path';
import { inheritedEnvironment } from '../config';
import type { SecretFiles } from './directories';
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
  const child = fork(path.join(__dirname, 'bare-loop.js'), { env: inheritedEnvironment() });
  child.send(setup);
  return {
    round: (prove, load) => ask(child, { prove, load }),
    changeOwner: (prove, size) => ask(child, { prove, size }),
    stop: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null) return resolve();
        child.once('exit', () => resolve());
        child.disconnect();
      }),
  };
}

/** Sends an order and waits for its result. Only one order may be open at a time. */
function ask<Result extends BareResult>(child: ChildProcess, order: BareOrder): Promise<Result> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`The bare loop ended (${code})`));
    child.once('exit', ended);
    child.once('message', (result) => {
      child.off('exit', ended);
      resolve(result as Result);
    });
    child.send(order);
  });
}
