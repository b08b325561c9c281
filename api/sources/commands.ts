import { z } from 'zod';
import { errorCode } from '../../model/api/fields';
import { sourceCommandSchema, sourceSchema, waitingSchema } from '../../model/api/sources';
import { MOST_WOKEN_PER_SECOND, WAKE_PER_SECOND } from '../../model/change/source-circuit';
import { errors, waitingSays } from '../../model/errors';
import type { Caller } from '../../store/api-keys';
import { giveSourceCommand, probeNow } from '../../store/sources/commands';
import { pauseSource, reopenSource } from '../../store/sources/state';
import { readWaiting, type WaitingGroup } from '../../store/sources/waiting';
import { actorOf } from '../http/actor';
import type { Dependencies } from '../http/dependencies';
import { HttpProblem } from '../http/problem';
import { type Route, route, smallBody } from '../http/route';
import { sourceName } from '../http/schemas';
import { readSources } from './view';

const params = z.strictObject({ name: sourceName });
const answers = {
  200: { says: 'The current state of the source.', schema: sourceSchema },
} as const;

async function readOne(deps: Dependencies, caller: Caller, name: string) {
  const source = (await readSources(deps, caller)).find((visible) => visible.name === name);
  if (source === undefined) throw new HttpProblem('not_found');
  return source;
}

const pause = route({
  method: 'post',
  path: '/v1/sources/{name}/pause',
  right: 'operate',
  summary: 'Pause a source',
  description:
    'Lockstep does not contact the source until it is resumed. Writes that have begun are finished; the other accounts wait.',
  params,
  answers,
  problems: ['not_found'],
  handle: async (deps, { caller, params: { name } }) => {
    await readOne(deps, caller, name);
    await pauseSource(deps.db, name, 'source_paused', actorOf(caller));
    return { status: 200, body: await readOne(deps, caller, name) };
  },
});

const resume = route({
  method: 'post',
  path: '/v1/sources/{name}/resume',
  right: 'operate',
  summary: 'Resume a paused source',
  description: `All accounts that wait for the source continue, the oldest changes first, ${WAKE_PER_SECOND} accounts in the first second and then up to ${MOST_WOKEN_PER_SECOND}. A source that is down is probed at once instead.`,
  params,
  answers,
  problems: ['not_found'],
  handle: async (deps, { caller, params: { name } }) => {
    await readOne(deps, caller, name);
    await reopenSource(deps.db, name, 'paused', actorOf(caller));
    await probeNow(deps.db, name, actorOf(caller));
    return { status: 200, body: await readOne(deps, caller, name) };
  },
});

const forAll = (kind: 'retry' | 'park' | 'cancel', summary: string, description: string): Route =>
  route({
    method: 'post',
    path: `/v1/sources/{name}/${kind}`,
    right: 'operate',
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
            .describe('Maximum number of accounts per second, the oldest changes first.'),
          reason: errorCode
            .optional()
            .describe('Only the accounts that wait, or are parked, for this reason.'),
        })
        .optional(),
      { slowly: { perSecond: 5 }, oneReason: { reason: 'account_locked' } },
    ),
    answers: {
      202: {
        says: 'A worker will carry out the command.',
        schema: sourceCommandSchema,
      },
    },
    problems: ['not_found', 'source_paused'],
    handle: async (deps, { caller, params: { name }, body }) => {
      const { state } = await readOne(deps, caller, name);
      if (kind === 'retry' && state === 'paused') throw new HttpProblem('source_paused');
      const perSecond = body?.perSecond ?? WAKE_PER_SECOND;
      const reason = body?.reason ?? null;
      const command = { source: name, kind, perSecond, reason, by: actorOf(caller) };
      return { status: 202, body: { accounts: await giveSourceCommand(deps.db, command) } };
    },
  });

const waiting = route({
  method: 'get',
  path: '/v1/sources/{name}/waiting',
  right: 'read',
  summary: 'See what waits for a source, by reason',
  description: 'A preview of what a command for the source, with or without `reason`, reaches.',
  params,
  answers: {
    200: { says: 'The accounts that wait or are parked, by reason.', schema: waitingSchema },
  },
  problems: ['not_found'],
  handle: async (deps, { caller, params: { name } }) => {
    await readOne(deps, caller, name);
    const groups = await readWaiting(deps.db, name);
    return {
      status: 200,
      body: { groups: groups.map((group) => ({ ...group, says: saysOf(group) })) },
    };
  },
});

const saysOf = ({ state, reason }: WaitingGroup): string => {
  if (reason === null) return 'The account is about to be tried.';
  return state === 'waiting' ? waitingSays(reason) : errors[reason].says;
};

export const sourceCommandRoutes: readonly Route[] = [
  waiting,
  pause,
  resume,
  forAll(
    'retry',
    'Retry all accounts that wait for a source',
    'Parked accounts are retried too. If the source is down, a single account probes it; the others follow once it answers.',
  ),
  forAll(
    'park',
    'Park all accounts that wait for a source',
    'They are not tried again until an operator retries them. They expire when their changes become too old.',
  ),
  forAll(
    'cancel',
    'Cancel all accounts that wait for a source',
    'The accounts are left unchanged, and their changes end without them.',
  ),
];
