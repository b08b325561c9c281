import { Failure } from '../failure';
import type { ChangesPage } from './answers';
import type { Api } from './api';

/** Resolves `last` to the id of the newest change; any other text is an id already. */
export async function changeId(api: Api, given: string): Promise<string> {
  if (given !== 'last') return given;
  const { changes } = await api.get<ChangesPage>(['changes'], {
    query: { limit: 1 },
  });
  const [newest] = changes;
  if (newest === undefined)
    throw new Failure('There is no change yet. "lockstep change" starts one.');
  return newest.id;
}

/** The message for a change that the API does not find. */
export const noChange = (id: string): string =>
  `There is no change ${id} that this API key may see. "lockstep changes" lists them.`;
