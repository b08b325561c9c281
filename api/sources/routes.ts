import { z } from 'zod';
import { text } from '../../model/api/fields';
import { jobAcceptedSchema, jobSchema } from '../../model/api/jobs';
import { hasRight } from '../../model/api/scopes';
import { sourcesSchema } from '../../model/api/sources';
import { sourceNamed } from '../../model/configuration/document';
import { type JobView, readJob, requestJob } from '../../store/sources/jobs';
import type { JobKind } from '../../store/tables';
import { actorOf } from '../http/actor';
import type { Dependencies } from '../http/dependencies';
import { appliedPreference, type Preference, preferHeader } from '../http/prefer';
import { HttpProblem } from '../http/problem';
import { type Route, route, smallBody } from '../http/route';
import { sourceName, waitSeconds } from '../http/schemas';
import { readSources } from './view';
import { waitForJob } from './wait-for-job';

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
const headers = z.object({ prefer: preferHeader });
const jobAnswers = {
  200: { says: 'The job, finished within the requested wait.', schema: jobSchema },
  202: {
    says: 'The job is queued for a worker.',
    schema: jobAcceptedSchema,
    headers: { location: 'The URL of the job.' },
  },
} as const;

/** Queues a job for a worker and waits for it as long as the client prefers. */
async function send(
  deps: Dependencies,
  job: {
    readonly kind: JobKind;
    readonly source: string;
    readonly parameters: Readonly<Record<string, unknown>>;
    readonly requestedBy: string;
  },
  preference: Preference,
  gone: AbortSignal,
) {
  const { configuration } = await deps.configuration();
  if (sourceNamed(configuration, job.source) === undefined) throw new HttpProblem('not_found');
  const id = await requestJob(deps.db, job);
  const answerHeaders = {
    location: `${deps.settings.publicUrl}/v1/jobs/${id}`,
    ...appliedPreference(preference),
  };
  const finished = await waitForJob(deps, id, preference.waitMs, gone);
  return finished === null
    ? { status: 202 as const, body: { job: id }, headers: answerHeaders }
    : { status: 200 as const, body: shown(finished), headers: answerHeaders };
}

const check = route({
  method: 'post',
  path: '/v1/sources/{name}/check',
  right: 'operate',
  summary: 'Check whether a source can be used',
  params,
  headers,
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
  headers,
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
  headers,
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
    const job = await readJob(deps.db, id);
    const isVisible = hasRight(caller.scopes, 'operate') || job?.requestedBy === actorOf(caller);
    if (job === null || !isVisible) throw new HttpProblem('not_found');
    const finished =
      job.state === 'open' ? await waitForJob(deps, id, query.wait * 1000, gone) : job;
    return { status: 200, body: shown(finished ?? job) };
  },
});

const shown = ({ requestedBy: _, ...job }: JobView) => job;

export const sourceRoutes: readonly Route[] = [list, check, refresh, look, readOne];
