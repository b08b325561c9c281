import { z } from 'zod';
import { auditPageSchema } from '../../model/api/audit';
import { text } from '../../model/api/fields';
import { jobSchema } from '../../model/api/jobs';
import { newestPosition, readAudit } from '../../store/audit-records';
import { storedName } from '../../store/people/identities';
import { actorOf } from '../http/actor';
import type { Dependencies } from '../http/dependencies';
import { waitUntil } from '../http/hub';
import { HttpProblem } from '../http/problem';
import { type Route, route } from '../http/route';
import { pageLimit, personName, sourceName, waitSeconds } from '../http/schemas';
import { jobAnswers, jobHeaders, sendJob } from '../sources/send-job';
import { readFinished, shownJob } from '../sources/wait-for-job';
import { shownRecord } from './audit-view';

const moment = z.iso
  .datetime({ offset: true })
  .transform((at) => new Date(at))
  .optional();

const auditQuery = z.strictObject({
  person: personName
    .optional()
    .describe('The name of a person; the id of one who is no longer known.'),
  source: sourceName.optional(),
  action: text(60)
    .optional()
    .describe('An action such as `api-key.created`, or its first part, such as `api-key`.'),
  actor: text(255)
    .optional()
    .describe(
      'The id or name of an API key, its agent, the id of a relay, `worker` or `lockstep`.',
    ),
  change: text(40).optional(),
  since: moment,
  until: moment,
  order: z
    .enum(['newest', 'oldest'])
    .default('newest')
    .describe(
      '`newest`: the newest record first. `oldest`: in the order of the chain, only records that a worker has chained; no record is missed between two pages.',
    ),
  limit: pageLimit,
  cursor: z.coerce
    .number()
    .int()
    .min(0)
    .max(Number.MAX_SAFE_INTEGER)
    .optional()
    .meta({ type: 'integer', description: '`next` or `end` of a page in the same order.' }),
  wait: waitSeconds.describe(
    'With `order=oldest`: if no record matches yet, answer once one does, but after this many seconds at the latest.',
  ),
});

type Query = z.output<typeof auditQuery>;

const list = route({
  method: 'get',
  path: '/v1/audit',
  right: 'read-audit',
  summary: 'Read the audit',
  description:
    'Each record has a sentence and the names of what it is about. To follow, read with `order=oldest` and `wait`, and continue from `end`.',
  query: auditQuery,
  answers: { 200: { says: 'A page of audit records.', schema: auditPageSchema } },
  handle: async (deps, { query, gone }) => {
    const deadline = performance.now() + query.wait * 1000;
    for (let cursor = query.cursor ?? null; ; ) {
      const page = await readPage(deps, query, cursor);
      const leftMs = deadline - performance.now();
      const isOver = leftMs <= 0 || gone.aborted || deps.stopping.aborted;
      if (page.records.length > 0 || query.order === 'newest' || isOver)
        return { status: 200, body: page };
      cursor = Number(page.end);
      await waitUntil(deps.audit, AUDIT, grownPast(cursor), leftMs, [gone, deps.stopping]);
    }
  },
});

/** The hub of the audit knows one item. */
const AUDIT = 'audit';
const grownPast =
  (cursor: number) =>
  ({ position }: { readonly position: number }): boolean =>
    position > cursor;

async function readPage({ db }: Dependencies, query: Query, cursor: number | null) {
  const { order, limit } = query;
  const person = query.person === undefined ? null : await storedName(db, query.person);
  const { source = null, action = null, actor = null, change = null } = query;
  const { since = null, until = null } = query;
  const filter = { person, source, action, actor, change, since, until };
  // Read first, so that a record that is chained during the search is either on the page or after `end`.
  const newest = await newestPosition(db);
  const found = await readAudit(db, { filter, order, cursor, limit: limit + 1 });
  const page = found.slice(0, limit);
  const last = page.at(-1);
  const more = found.length > limit && last !== undefined;
  const place = order === 'oldest' ? last?.position : last?.id;
  return {
    records: page.map(shownRecord),
    next: more ? String(place) : null,
    end: String(order === 'newest' ? newest : more ? place : Math.max(newest, endOf(found))),
  };
}

const endOf = (records: readonly { readonly position: number | null }[]): number =>
  Math.max(0, ...records.map(({ position }) => position ?? 0));

const verify = route({
  method: 'post',
  path: '/v1/audit/verifications',
  right: 'read-audit',
  summary: 'Have a worker verify the audit chain',
  description:
    'A worker does it, because the chain is keyed with a key that neither the database nor the API has. `result` of the job shows from which to which record and time the chain was verified, and the first record that does not fit.',
  headers: jobHeaders,
  answers: jobAnswers,
  handle: (deps, { caller, headers: { prefer }, gone }) => {
    const job = { kind: 'verify-audit' as const, source: null, parameters: {} };
    const requestedBy = actorOf(caller);
    return sendJob(deps, { ...job, requestedBy }, prefer, gone, '/v1/audit/verifications');
  },
});

const readVerification = route({
  method: 'get',
  path: '/v1/audit/verifications/{id}',
  right: 'read-audit',
  summary: 'Read a verification of the audit chain',
  params: z.strictObject({ id: text(40) }),
  query: z.strictObject({ wait: waitSeconds }),
  answers: { 200: { says: 'The current state of the job.', schema: jobSchema } },
  problems: ['not_found'],
  handle: async (deps, { params: { id }, query, gone }) => {
    const job = await readFinished(deps, id, query.wait * 1000, gone);
    if (job?.kind !== 'verify-audit') throw new HttpProblem('not_found');
    return { status: 200, body: shownJob(job) };
  },
});

export const auditRoutes: readonly Route[] = [list, verify, readVerification];
