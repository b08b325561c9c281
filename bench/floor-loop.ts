import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { Client } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { FloorSetup } from './floor';
import type { empty } from './floor-workflow';
import { type Load, runRound, timed } from './round';

/**
 * Starts empty workflows and waits for their ends, with the SDK as it is by default: client and worker in one process, and eager
 * start, so that the worker gets the first task with the answer to the start.
 */

const TASK_QUEUE = 'bench-floor';

let loop: ReturnType<typeof openLoop> | null = null;

process.on('message', async (message: FloorSetup | Load) => {
  if ('engineAddress' in message) loop = openLoop(message);
  else if (loop !== null) process.send?.(await (await loop)(message));
});
process.once('disconnect', () => process.exit());

async function openLoop({ engineAddress, namespace, watched }: FloorSetup) {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const connection = await NativeConnection.connect({ address: engineAddress });
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue: TASK_QUEUE,
    workflowsPath: path.join(__dirname, 'floor-workflow.js'),
  });
  void worker.run();
  const { workflow } = new Client({ connection, namespace });
  const options = { taskQueue: TASK_QUEUE, requestEagerStart: true };
  const change = async () => {
    const handle = await workflow.start<typeof empty>('empty', {
      ...options,
      workflowId: `floor-${randomUUID()}`,
    });
    await handle.result();
  };
  return (load: Load) =>
    runRound(load, { ...watched, 'worker of empty workflows': process.pid }, () => timed(change));
}
