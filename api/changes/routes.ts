import { z } from 'zod';
import { auditRecordSchema } from '../../model/api/audit';
import { changeSchema, changeStateSchema, changesPageSchema } from '../../model/api/changes';
import { errorCode, text } from '../../model/api/fields';
import type { Caller } from '../../store/api-keys';
import { maySee, mayTouch } from '../../store/api-keys';
import { anyRecord, readAudit } from '../../store/audit-records';
import { giveCommand } from '../../store/changes/commands';
import { type ChangeView, listChanges, readChange } from '../../store/changes/read';
import { shownRecord } from '../admin/audit-view';
import { actorOf } from '../http/actor';
import type { Dependencies } from '../http/dependencies';
import { HttpProblem } from '../http/problem';
import { type Route, route, smallBody } from '../http/route';
import { cursor, pageLimit, personName, sourceName, waitSeconds } from '../http/schemas';
import { whileValid } from '../http/while-valid';
import { changeOf, summaryOf } from './change';
import { streamChange } from './events';
import { decided, waitForChange } from './waiting';

const params = z.strictObject({
  id: text(40).meta({ examples: ['chg_01jd8x2m9k0000000000000000'] }),
});

/** Reads a change. A change that the API key may not see counts as missing. */
async function readVisible({ db }: Dependencies, caller: Caller, id: string): Promise<ChangeView> {
  const change = await readChange(db, id);
  if (change === null || !maySee(caller, change)) throw new HttpProblem('not_found');
  return change;
}

async function shown(deps: Dependencies, change: ChangeView) {
  const { configuration } = await deps.configuration();
  return changeOf(change, await deps.standstill(), deps.settings, configuration);
}

const list = route({
  method: 'get',
  path: '/v1/changes',
  right: 'read',
  summary: 'List changes, the newest first',
  query: z.strictObject({
    state: changeStateSchema.optional(),
    identity: personName.optional().describe('The name of the person, in upper or lower case.'),
    source: sourceName.optional(),
    reason: errorCode
      .optional()
      .describe(
        'Only changes with an account that waits, or is parked, for this reason; with `source`, in that source.',
      ),
    limit: pageLimit,
    cursor,
  }),
  answers: {
    200: {
      says: 'A page of changes.',
      schema: changesPageSchema,
    },
  },
  handle: async ({ db, settings }, { caller, query }) => {
    const { state = null, identity = null, source = null, reason = null } = query;
    const { limit, cursor: after = null } = query;
    const { groups } = caller;
    const filter = { groups, state, identity, source, reason, cursor: after };
    const found = await listChanges(db, { ...filter, limit: limit + 1 });
    const changes = found.slice(0, limit).map((summary) => summaryOf(summary, settings));
    const next = found.length > limit ? (changes.at(-1)?.id ?? null) : null;
    return { status: 200, body: { changes, next } };
  },
});

const read = route({
  method: 'get',
  path: '/v1/changes/{id}',
  right: 'read',
  summary: 'Read a change, optionally after waiting for its outcome',
  params,
  query: z.strictObject({
    wait: waitSeconds,
    until: z
      .enum(['auth', 'end'])
      .default('end')
      .describe('Wait for the end, or only for the auth account.'),
  }),
  answers: { 200: { says: 'The current state of the change.', schema: changeSchema } },
  problems: ['not_found'],
  handle: async (deps, { caller, params: { id }, query, gone }) => {
    let change = await readVisible(deps, caller, id);
    const preference = { waitMs: query.wait * 1000, until: query.until };
    if (preference.waitMs > 0 && !decided(change, preference.until)) {
      await waitForChange(deps, id, preference, gone);
      change = await readVisible(deps, caller, id);
    }
    return { status: 200, body: await shown(deps, change) };
  },
});

const events = route({
  method: 'get',
  path: '/v1/changes/{id}/events',
  right: 'read',
  summary: 'Follow a change',
  description:
    'Server-sent events: `change` carries the current state, at once and after each update; `end` follows when the change has ended. A client that reconnects receives the state of that moment.',
  params,
  answers: {
    200: { says: 'Events until the change has ended.', contentType: 'text/event-stream' },
  },
  problems: ['not_found', 'too_many_streams'],
  handle: async (deps, { caller, params: { id }, gone }) => {
    await readVisible(deps, caller, id);
    deps.streams.open(caller.keyId, gone);
    const readAgain = async () => {
      const change = await deps.readFollowed(id);
      if (change === null) throw new HttpProblem('not_found');
      return shown(deps, change);
    };
    return {
      status: 200,
      headers: { 'content-type': 'text/event-stream' },
      stream: (response) =>
        whileValid(deps, caller, gone, (ended) =>
          streamChange(deps, id, readAgain, ended, response),
        ),
    };
  },
});

/** More than the accounts of one person and the attempts at them fill. */
const MOST_RECORDS = 10_000;

const audit = route({
  method: 'get',
  path: '/v1/changes/{id}/audit',
  right: 'read',
  summary: 'Read the audit records of a change',
  params,
  answers: {
    200: {
      says: 'The records, the oldest first.',
      schema: z.object({ records: z.array(auditRecordSchema) }),
    },
  },
  problems: ['not_found'],
  handle: async (deps, { caller, params: { id } }) => {
    await readVisible(deps, caller, id);
    const filter = { ...anyRecord, change: id };
    const page = { filter, order: 'newest', cursor: null, limit: MOST_RECORDS } as const;
    const records = (await readAudit(deps.db, page)).reverse().map(shownRecord);
    return { status: 200, body: { records } };
  },
});

const commandAnswers = {
  202: {
    says: 'A worker will carry out the command. The body is the state of the change before that.',
    schema: changeSchema,
  },
} as const;

async function command(
  deps: Dependencies,
  caller: Caller,
  id: string,
  kind: 'cancel' | 'retry' | 'park',
  label: string | null,
) {
  const change = await readVisible(deps, caller, id);
  if (!mayTouch(caller, change)) throw new HttpProblem('forbidden');
  if (label !== null && !change.accounts.some((account) => account.label === label))
    throw new HttpProblem('not_found');
  const by = actorOf(caller);
  if (!(await giveCommand(deps.db, { changeId: id, kind, label, by })))
    throw new HttpProblem('change_ended');
  return { status: 202 as const, body: await shown(deps, change) };
}

const forAccounts = (
  kind: 'cancel' | 'retry' | 'park',
  summary: string,
  description: string,
  without: string,
): Route =>
  route({
    method: 'post',
    path: `/v1/changes/{id}/${kind}`,
    right: 'control-changes',
    summary,
    description,
    params,
    body: smallBody(
      z
        .strictObject({
          account: text(60)
            .optional()
            .describe(`The label of one account. Without it, the command applies to ${without}.`),
        })
        .optional(),
      { one: { account: 'corp-directory' } },
    ),
    answers: commandAnswers,
    problems: ['not_found', 'change_ended'],
    handle: (deps, { caller, params: { id }, body }) =>
      command(deps, caller, id, kind, body?.account ?? null),
  });

const cancel = forAccounts(
  'cancel',
  'Cancel a change, or one account of it',
  'Writes that have begun are finished. Accounts that were not begun are left unchanged.',
  'the whole change',
);

const retry = forAccounts(
  'retry',
  'Retry waiting accounts now',
  'Parked accounts are retried too. An account whose source is paused keeps waiting.',
  'all waiting accounts',
);

const park = forAccounts(
  'park',
  'Park waiting accounts',
  'They are not tried again until an operator retries them. They expire when the change becomes too old.',
  'all waiting accounts',
);

export const changeRoutes: readonly Route[] = [list, read, events, audit, cancel, retry, park];
