import type { Change } from './answers';
import type { Api } from './api';
import { noChange } from './ids';

/** Sends a command for a change, or for one account of it. The API records it, and a worker carries it out later. */
export const commandChange = (
  api: Api,
  id: string,
  command: 'cancel' | 'retry' | 'park',
  account: string | undefined,
): Promise<Change> =>
  api.send<Change>('POST', ['changes', id, command], {
    body: { account },
    missing: `${noChange(id)}${account === undefined ? '' : ` Or it has no account "${account}": "lockstep status ${id}" shows its accounts.`}`,
  });
