import type { Api } from './api';
import { noChange } from './ids';
import type { Change } from './shapes';

/** Asks something of a change, or of one account of it, which a worker then does. */
export const commandChange = (
  api: Api,
  id: string,
  command: 'cancel' | 'retry' | 'park',
  account: string | undefined,
): Promise<Change> =>
  api.send<Change>('POST', ['changes', id, command], {
    body: { account },
    missing: `${noChange(id)}${account === undefined ? '' : ` Or it has no account "${account}".`}`,
  });
