import { z } from 'zod';
import { text } from '../../model/api/fields';
import { jobAcceptedSchema, jobSchema } from '../../model/api/jobs';
import { sourcesSchema } from '../../model/api/sources';
import { readJob, requestJob } from '../../store/sources/jobs';
import type { JobKind } from '../../store/tables';
import type { Dependencies } from '../http/dependencies';
import { own } from '../http/own';
import { appliedPreference, type Preference, preferHeader } from '../http/prefer';
import { HttpProblem } from '../http/problem';
import { type Route, route, smallBody } from '../http/route';
import { sourceName, waitSeconds } from '../http/schemas';
import { waitForJob } from './jobs';
import { readSources } from './view';

const list = route({
  method: 'get',
  path: '/v1/sources',
  scope: 'read',
  summary: 'List sources',
  answers: {
    200: {
      says: 'Those that the key may see.',
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
  200: { says: 'It was finished in time.', schema: jobSchema },
  202: {
    says: 'A worker will do it.',
    schema: jobAcceptedSchema,
    headers: { location: 'Where to see what came of it.' },
  },
} as const;

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
  if (own(configuration.sources, job.source) === undefined) throw new HttpProblem('not_found');
  const id = await requestJob(deps.db, job);
  const answerHeaders = {
    location: `${deps.settings.publicUrl}/v1/jobs/${id}`,
    ...appliedPreference(preference),
  };
  const finished = await waitForJob(deps, id, preference.waitMs, gone);
  return finished === null
    ? { status: 202 as const, body: { job: id }, headers: answerHeaders }
    : { status: 200 as const, body: finished, headers: answerHeaders };
}

const check = route({
  method: 'post',
  path: '/v1/sources/{name}/check',
  scope: 'admin',
  summary: 'Check that a source can be used',
  params,
  headers,
  answers: jobAnswers,
  problems: ['not_found'],
  handle: (deps, { caller, params: { name }, headers: { prefer }, gone }) => {
    const requestedBy = `api-key:${caller.keyId}`;
    return send(deps, { kind: 'check', source: name, parameters: {}, requestedBy }, prefer, gone);
  },
});

const refresh = route({
  method: 'post',
  path: '/v1/sources/{name}/refresh',
  scope: 'admin',
  summary: 'Read the accounts of a source and link them to people',
  params,
  headers,
  body: smallBody(
    z
      .strictObject({ preview: z.boolean().default(false).describe('Link nothing, only tell.') })
      .optional(),
    { preview: { preview: true } },
  ),
  answers: jobAnswers,
  problems: ['not_found'],
  handle: (deps, { caller, params: { name }, headers: { prefer }, body, gone }) => {
    const parameters = { preview: body?.preview ?? false };
    const requestedBy = `api-key:${caller.keyId}`;
    return send(deps, { kind: 'refresh', source: name, parameters, requestedBy }, prefer, gone);
  },
});

const look = route({
  method: 'post',
  path: '/v1/sources/{name}/look',
  scope: 'admin',
  summary: 'Ask a source when the password of each linked account was last changed',
  description: 'What nobody captured shows in `GET /v1/stale` then. Costs a request an account.',
  params,
  headers,
  answers: jobAnswers,
  problems: ['not_found'],
  handle: (deps, { caller, params: { name }, headers: { prefer }, gone }) => {
    const requestedBy = `api-key:${caller.keyId}`;
    return send(deps, { kind: 'look', source: name, parameters: {}, requestedBy }, prefer, gone);
  },
});

const readOne = route({
  method: 'get',
  path: '/v1/jobs/{id}',
  scope: 'admin',
  summary: 'See what came of a check, a refresh or a look',
  params: z.strictObject({ id: text(40) }),
  query: z.strictObject({ wait: waitSeconds }),
  answers: { 200: { says: 'The job as it is.', schema: jobSchema } },
  problems: ['not_found'],
  handle: async (deps, { params: { id }, query, gone }) => {
    const job = await readJob(deps.db, id);
    if (job === null) throw new HttpProblem('not_found');
    const finished =
      job.state === 'open' ? await waitForJob(deps, id, query.wait * 1000, gone) : job;
    return { status: 200, body: finished ?? job };
  },
});

export const sourceRoutes: readonly Route[] = [list, check, refresh, look, readOne];
