import { Client, Connection } from '@temporalio/client';
import { environment } from '../config';

/** Size of the workflow history of a change. */
export interface HistorySize {
  readonly events: number;
  readonly transitions: number;
}

/** Reads the history size of each change from the engine. */
export async function readHistorySizes(
  engineAddress: string,
  changeIds: readonly string[],
): Promise<HistorySize[]> {
  const connection = await Connection.connect({ address: engineAddress });
  try {
    const client = new Client({ connection, namespace: environment.TEMPORAL_NAMESPACE });
    return await Promise.all(
      changeIds.map(async (id) => {
        const { raw } = await client.workflow.getHandle(id).describe();
        const { historyLength, stateTransitionCount } = raw.workflowExecutionInfo ?? {};
        return { events: Number(historyLength), transitions: Number(stateTransitionCount) };
      }),
    );
  } finally {
    await connection.close();
  }
}
