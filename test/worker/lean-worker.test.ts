import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { Client } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Worker } from '@temporalio/worker';
import type { Temporal } from '../../local/temporal';
import { LeanWorker } from '../../worker/changes/lean-worker';
import { installRuntime } from '../../worker/changes/temporal';
import { startEngine } from '../support/engine';
import { describeWith } from '../support/servers';
import { until } from '../support/until';

describeWith(['temporal'], 'the thread that runs workflows', () => {
  let engine: Temporal;
  let connection: NativeConnection;
  let client: Client;
  let code: string;

  beforeAll(async () => {
    installRuntime();
    const workflowsPath = path.join(__dirname, 'lean-workflows', 'index.ts');
    ({ code } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR') }));
    engine = await startEngine();
    connection = await NativeConnection.connect({ address: engine.address });
    client = new Client({ connection, namespace: engine.namespace });
  });
  afterAll(async () => {
    await connection.close();
    await engine.stop();
  });

  async function serving<Result>(
    kind: typeof Worker,
    isolateExecutionTimeout: '500ms' | '5s',
    work: (start: (workflow: string) => ReturnType<Client['workflow']['start']>) => Promise<Result>,
  ): Promise<Result> {
    const taskQueue = randomUUID();
    const worker = await kind.create({
      ...{ connection, namespace: engine.namespace, taskQueue, workflowBundle: { code } },
      // The SDK reads this option, although its type does not declare it.
      ...{ isolateExecutionTimeout },
    });
    return worker.runUntil(
      work((workflow) => client.workflow.start(workflow, { taskQueue, workflowId: randomUUID() })),
    );
  }

  test('a lean worker refuses the query for the stack of a workflow, and the workflow goes on', async () => {
    await serving(LeanWorker, '5s', async (start) => {
      const handle = await start('waits');
      await expect(handle.query('__stack_trace')).rejects.toThrow('stack traces are not enabled');
      expect((await handle.describe()).status.name).toBe('RUNNING');
    });
  });

  test('a lean worker does not cut off a workflow that computes for long', async () => {
    expect(
      await serving(LeanWorker, '500ms', async (start) => (await start('computes')).result()),
    ).toBe(5);
  });

  test('a worker of the SDK shows the stack of a workflow', async () => {
    await serving(Worker, '5s', async (start) => {
      expect(await (await start('waits')).query('__stack_trace')).toContain('waits');
    });
  });

  test('a worker of the SDK cuts off a workflow that computes for long', async () => {
    await serving(Worker, '500ms', async (start) => {
      const computing = await start('computes');
      const failures = async () =>
        (await computing.fetchHistory()).events?.filter(
          (event) => event.workflowTaskFailedEventAttributes,
        ) ?? [];
      await until(async () => (await failures()).length > 0);
      expect(JSON.stringify(await failures())).toContain('timed out');
      await computing.terminate();
    });
  });
});
