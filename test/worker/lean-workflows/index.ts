import { sleep } from '@temporalio/workflow';

/** Waits, so that a query finds it running. */
export async function waits(): Promise<void> {
  await sleep('1 hour');
}

/** Computes for about a second, longer than the time limit of its tests. */
export async function computes(): Promise<number> {
  let last = 0;
  for (let count = 0; count < 1_000_000_000; count++) last = count % 7;
  return last;
}
