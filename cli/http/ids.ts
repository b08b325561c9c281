import { Failure } from '../failure';
import type { ChangesPage } from './answers';
import type { Api } from './api';
import { ApiProblem } from './refusals';

/** Resolves `last` to the id of the newest change; any other text is an id already. */
export async function changeId(api: Api, given: string): Promise<string> {
  if (given !== 'last') return given;
  const newest = await newestChange(api);
  if (newest === null) throw new Failure('There is no change yet. "lockstep change" starts one.');
  return newest;
}

const ID = /^chg_/;

/** As `changeId`, and resolves the name of a person to the id of the newest change of that person. */
export async function changeIdOrPerson(api: Api, given: string): Promise<string> {
  if (given === 'last' || ID.test(given)) return changeId(api, given);
  const newest = await newestChange(api, given);
  if (newest !== null) return newest;
  await requirePerson(api, given);
  throw new Failure(`There is no change of ${given} that this API key may see.`);
}

async function newestChange(api: Api, identity?: string): Promise<string | null> {
  const { changes } = await api.get<ChangesPage>(['changes'], { query: { identity, limit: 1 } });
  return changes[0]?.id ?? null;
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
