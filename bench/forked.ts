import { type ChildProcess, fork } from 'node:child_process';
import path from 'node:path';
import { inheritedEnvironment } from '../config';

/** A program of the bench in its own process, so that its CPU time can be measured separately. */
export interface Forked<Order, Result> {
  readonly pid: number;
  /** Sends an order and waits for its result. Only one order may be open at a time. */
  ask<Answer extends Result>(order: Order): Promise<Answer>;
  stop(): Promise<void>;
}

/** Starts a program and sends it its setup. It ends when it is disconnected. */
export function startForked<Setup extends object, Order extends object, Result>(
  program: string,
  setup: Setup,
): Forked<Order, Result> {
  const child = fork(path.join(__dirname, program), { env: inheritedEnvironment() });
  child.send(setup);
  return {
    pid: child.pid ?? 0,
    ask: (order) => ask(child, program, order),
    stop: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null) return resolve();
        child.once('exit', () => resolve());
        child.disconnect();
      }),
  };
}

function ask<Answer>(child: ChildProcess, program: string, order: object): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`${program} ended (${code})`));
    child.once('exit', ended);
    child.once('message', (result) => {
      child.off('exit', ended);
      resolve(result as Answer);
    });
    child.send(order);
  });
}
