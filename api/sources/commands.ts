import { z } from 'zod';
import { sourceCommandSchema, sourceSchema } from '../../model/api/sources';
import { WAKE_PER_SECOND } from '../../model/change/source-circuit';
import type { Caller } from '../../store/api-keys';
import { giveSourceCommand } from '../../store/sources/commands';
import { pauseSource, reopenSource } from '../../store/sources/state';
import type { Dependencies } from '../http/dependencies';
import { HttpProblem } from '../http/problem';
import { type Route, route, smallBody } from '../http/route';
import { sourceName } from '../http/schemas';
import { readSources } from './view';

/** What an operator does with a source, and with all accounts that wait on it. */

const params = z.strictObject({ name: sourceName });
const answers = { 200: { says: 'The source as it is now.', schema: sourceSchema } } as const;
const byCaller = ({ keyId }: Caller): string => `api-key:${keyId}`;

async function readOne(deps: Dependencies, caller: Caller, name: string) {
  const source = (await readSources(deps, caller)).find((one) => one.name === name);
  if (source === undefined) throw new HttpProblem('not_found');
  return source;
}

const pause = route({
  method: 'post',
  path: '/v1/sources/{name}/pause',
  scope: 'admin',
  summary: 'Ask a source nothing until it is resumed',
  description: 'What is being written is finished; its other accounts wait.',
  params,
  answers,
  problems: ['not_found'],
  handle: async (deps, { caller, params: { name } }) => {
    await readOne(deps, caller, name);
    await pauseSource(deps.db, name, 'source_paused', byCaller(caller));
    return { status: 200, body: await readOne(deps, caller, name) };
  },
});

const resume = route({
  method: 'post',
  path: '/v1/sources/{name}/resume',
  scope: 'admin',
  summary: 'Resume a source that is paused',
  description: `All that wait for it go on, the oldest changes first, ${WAKE_PER_SECOND} accounts a second.`,
  params,
  answers,
  problems: ['not_found'],
  handle: async (deps, { caller, params: { name } }) => {
    await readOne(deps, caller, name);
    await reopenSource(deps.db, name, 'paused', byCaller(caller));
    return { status: 200, body: await readOne(deps, caller, name) };
  },
});

const forAll = (kind: 'retry' | 'park' | 'cancel', summary: string, description: string): Route =>
  route({
    method: 'post',
    path: `/v1/sources/{name}/${kind}`,
    scope: 'admin',
    summary,
    description,
    params,
    body: smallBody(
      z
        .strictObject({
          perSecond: z
            .int()
            .min(1)
            .max(1000)
            .default(WAKE_PER_SECOND)
            .describe('So many accounts a second at most, the oldest changes first.'),
        })
        .optional(),
      { slowly: { perSecond: 5 } },
    ),
    answers: {
      202: {
        says: 'A worker will do it.',
        schema: sourceCommandSchema,
      },
    },
    problems: ['not_found', 'source_paused'],
    handle: async (deps, { caller, params: { name }, body }) => {
      const { state } = await readOne(deps, caller, name);
      if (kind === 'retry' && state === 'paused') throw new HttpProblem('source_paused');
      const perSecond = body?.perSecond ?? WAKE_PER_SECOND;
      const by = byCaller(caller);
      const accounts = await giveSourceCommand(deps.db, { source: name, kind, perSecond, by });
      return { status: 202, body: { accounts } };
    },
  });

export const sourceCommandRoutes: readonly Route[] = [
  pause,
  resume,
  forAll(
    'retry',
    'Try all accounts that wait on a source',
    'Those that are parked too. One that is down is asked by one of them; the others follow when it answers.',
  ),
  forAll(
    'park',
    'Try the accounts that wait on a source no more',
    'Until somebody retries them, or their changes become too old.',
  ),
  forAll(
    'cancel',
    'Leave all accounts that wait on a source as they are',
    'Their changes end without them.',
  ),
];
