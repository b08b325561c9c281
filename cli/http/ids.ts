import { Failure } from '../failure';
import type { ChangesPage } from './answers';
import type { Api } from './api';
import { ApiProblem } from './refusals';

const ID = /^chg_/;

/**
 * Resolves `last` to the id of the newest change, and the name of a person to the id of the newest change of that person.
 * A text that looks like an id is one already.
 */
export async function changeId(api: Api, given: string): Promise<string> {
  if (ID.test(given)) return given;
  const identity = given === 'last' ? undefined : given;
  const { changes } = await api.get<ChangesPage>(['changes'], { query: { identity, limit: 1 } });
  const [newest] = changes;
  if (newest !== undefined) return newest.id;
  if (identity === undefined)
    throw new Failure('There is no change yet. "lockstep change" starts one.');
  await requirePerson(api, identity);
  throw new Failure(`There is no change of ${identity} that this API key may see.`);
}

/** @throws Failure when no person has this name. A key that may not see people cannot know, so it passes. */
export async function requirePerson(api: Api, name: string): Promise<void> {
  try {
    await api.get(['identities', name], {
      missing: `There is no person "${name}" that this API key may see. "lockstep identities list" lists the people.`,
    });
  } catch (error) {
    if (error instanceof ApiProblem && error.problem.code === 'forbidden') return;
    throw error;
  }
}

/** The message for a change that the API does not find. */
export const noChange = (id: string): string =>
  `There is no change ${id} that this API key may see. "lockstep changes" lists them.`;
