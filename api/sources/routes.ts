import { z } from 'zod';
import { text } from '../../model/api/fields';
import { jobSchema } from '../../model/api/jobs';
import { hasRight } from '../../model/api/scopes';
import { sourcesSchema } from '../../model/api/sources';
import { sourceNamed } from '../../model/configuration/document';
import type { JobKind } from '../../store/tables';
import { actorOf } from '../http/actor';
import type { Dependencies } from '../http/dependencies';
import type { Preference } from '../http/prefer';
import { HttpProblem } from '../http/problem';
import { type Route, route, smallBody } from '../http/route';
import { sourceName, waitSeconds } from '../http/schemas';
import { jobAnswers, jobHeaders, sendJob } from './send-job';
import { readSources } from './view';
import { readFinished, shownJob } from './wait-for-job';

const list = route({
  method: 'get',
  path: '/v1/sources',
  right: 'read',
  summary: 'List sources',
  answers: {
    200: {
      says: 'The sources that the API key may see.',
      schema: sourcesSchema,
    },
  },
  handle: async (deps, { caller }) => ({
    status: 200,
    body: { sources: await readSources(deps, caller) },
  }),
});

const params = z.strictObject({ name: sourceName });

interface SourceJob {
  readonly kind: JobKind;
  readonly source: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly requestedBy: string;
}

/** Queues a job of a source for a worker. */
async function send(deps: Dependencies, job: SourceJob, preference: Preference, gone: AbortSignal) {
  const { configuration } = await deps.configuration();
  if (sourceNamed(configuration, job.source) === undefined) throw new HttpProblem('not_found');
  return sendJob(deps, job, preference, gone);
}

const check = route({
  method: 'post',
  path: '/v1/sources/{name}/check',
  right: 'operate',
  summary: 'Check whether a source can be used',
  params,
  headers: jobHeaders,
  answers: jobAnswers,
  problems: ['not_found'],
  handle: (deps, { caller, params: { name }, headers: { prefer }, gone }) => {
    const requestedBy = actorOf(caller);
    return send(deps, { kind: 'check', source: name, parameters: {}, requestedBy }, prefer, gone);
  },
});

const refresh = route({
  method: 'post',
  path: '/v1/sources/{name}/refresh',
  right: 'operate',
  summary: 'Read the accounts of a source and link them to people',
  params,
  headers: jobHeaders,
  body: smallBody(
    z
      .strictObject({
        preview: z
          .boolean()
          .default(false)
          .describe('Report what would be linked, without linking anything.'),
      })
      .optional(),
    { preview: { preview: true } },
  ),
  answers: jobAnswers,
  problems: ['not_found'],
  handle: (deps, { caller, params: { name }, headers: { prefer }, body, gone }) => {
    const parameters = { preview: body?.preview ?? false };
    const requestedBy = actorOf(caller);
    return send(deps, { kind: 'refresh', source: name, parameters, requestedBy }, prefer, gone);
  },
});

const look = route({
  method: 'post',
  path: '/v1/sources/{name}/look',
  right: 'operate',
  summary: 'Ask a source when the password of each linked account was last changed',
  description:
    'Afterwards `GET /v1/stale` lists the accounts whose change was not captured. This costs one request per account.',
  params,
  headers: jobHeaders,
  answers: jobAnswers,
  problems: ['not_found'],
  handle: (deps, { caller, params: { name }, headers: { prefer }, gone }) => {
    const requestedBy = actorOf(caller);
    return send(deps, { kind: 'look', source: name, parameters: {}, requestedBy }, prefer, gone);
  },
});

const readOne = route({
  method: 'get',
  path: '/v1/jobs/{id}',
  right: 'read-jobs',
  summary: 'Read a job and its result',
  description: 'A key without a scope that operates sources sees only the jobs that it requested.',
  params: z.strictObject({ id: text(40) }),
  query: z.strictObject({ wait: waitSeconds }),
  answers: { 200: { says: 'The current state of the job.', schema: jobSchema } },
  problems: ['not_found'],
  handle: async (deps, { caller, params: { id }, query, gone }) => {
    const job = await readFinished(deps, id, query.wait * 1000, gone);
    const isVisible = hasRight(caller.scopes, 'operate') || job?.requestedBy === actorOf(caller);
    if (job === null || !isVisible) throw new HttpProblem('not_found');
    return { status: 200, body: shownJob(job) };
  },
});

export const sourceRoutes: readonly Route[] = [list, check, refresh, look, readOne];
