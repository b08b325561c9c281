import { Client, Connection } from '@temporalio/client';
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

/** Waits for the end of a workflow, and describes it. */
export const describeWorkflow = (engine: EngineAddress, id: string) =>
  withClient(engine, async (client) => {
    const handle = client.workflow.getHandle(id);
    await handle.result();
    return handle.describe();
  });
