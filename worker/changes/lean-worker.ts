import { Worker as Thread } from 'node:worker_threads';
import { type CompiledWorkerOptions, type Logger, Worker } from '@temporalio/worker';
import type { WorkflowCreator } from '@temporalio/worker/lib/workflow/interface';
import {
  ThreadedVMWorkflowCreator,
  WorkerThreadClient,
} from '@temporalio/worker/lib/workflow/threaded-vm';
import type {
  WorkerThreadInput,
  WorkflowBundleWithSourceMapAndFilename,
} from '@temporalio/worker/lib/workflow/workflow-worker-thread/input';

/**
 * A worker whose workflow thread does without two habits of the SDK, which cost about half of the CPU time of that
 * thread (decision 0020). It takes no stack for each promise, so the query `__stack_trace` is refused. It starts no
 * watchdog thread for each call into the sandbox, so `isolateExecutionTimeout` has no effect.
 */
export class LeanWorker extends Worker {
  protected static override async createWorkflowCreator(
    workflowBundle: WorkflowBundleWithSourceMapAndFilename,
    { activities, reuseV8Context }: CompiledWorkerOptions,
    logger: Logger,
  ): Promise<WorkflowCreator> {
    const thread = new WorkerThreadClient(new Thread(WITHOUT_STACKS, { eval: true }), logger);
    await thread.send({
      type: 'init',
      workflowBundle,
      reuseV8Context: reuseV8Context ?? true,
      registeredActivityNames: new Set(activities.keys()),
      hasPatchActivationCallback: false,
      // The type requires isolateExecutionTimeoutMs. Without it, Node starts no watchdog.
    } as WorkerThreadInput);
    return new ThreadedVMWorkflowCreator([thread]);
  }
}

const threadFile = (name: string): string =>
  JSON.stringify(require.resolve(`@temporalio/worker/lib/workflow/${name}`));

/** The SDK's own program of the thread, with stacks turned off as on a runtime that has no promise hooks. */
const WITHOUT_STACKS = `
  require(${threadFile('vm-shared')}).globalHandlers.setPromiseHook = () => {};
  require(${threadFile('workflow-worker-thread')});
`;
