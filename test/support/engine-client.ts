import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import type { EngineAddress } from './lockstep';

/** Calls `work` with a client of the engine, as an operator would use one. */
export async function withClient<T>(
  { address, namespace }: EngineAddress,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const connection = await Connection.connect({ address });
  try {
    return await work(new Client({ connection, namespace }));
  } finally {
    await connection.close();
  }
}

/** The state with which the workflow of a change has ended: its result, or the type of its failure. */
export const endOf = (handle: WorkflowHandle): Promise<unknown> =>
  handle.result().catch((error: unknown) => {
    const { cause } = error as { readonly cause?: { readonly type?: string } };
    if (cause?.type === undefined) throw error;
    return cause.type;
  });

/** Waits for the end of a workflow, and describes it. */
export const describeWorkflow = (engine: EngineAddress, id: string) =>
  withClient(engine, async (client) => {
    const handle = client.workflow.getHandle(id);
    await endOf(handle);
    return handle.describe();
  });
