import { z } from 'zod';
import { text } from '../../model/api/fields';
import {
  noticeChannelsSchema,
  noticeSchema,
  noticesPageSchema,
  noticeTestedSchema,
  noticeTestSchema,
} from '../../model/api/notices';
import { channelNamed } from '../../model/configuration/notice-channels';
import { isMailAddress } from '../../model/notices/mail-address';
import { deliveryStates } from '../../model/notices/states';
import { writeAudit } from '../../store/audit';
import { closedSince } from '../../store/notices/closed-channels';
import { listNotices, type NoticeView, readChannelUse, readNotice } from '../../store/notices/read';
import { writeTestNotice } from '../../store/notices/write';
import { actorOf } from '../http/actor';
import type { Dependencies } from '../http/dependencies';
import { HttpProblem } from '../http/problem';
import { type Route, route, smallBody } from '../http/route';
import { pageLimit } from '../http/schemas';

const shown = ({ number: _number, deliveries, ...notice }: NoticeView) => ({
  ...notice,
  deliveries: [...deliveries],
});

const list = route({
  method: 'get',
  path: '/v1/notices',
  right: 'read',
  summary: 'List notices, the newest first',
  description:
    'A key that is bound to groups sees the notices to people about changes in these groups, and none to operators.',
  query: z.strictObject({
    state: z
      .enum(deliveryStates)
      .optional()
      .describe('Only notices with a delivery in this state.'),
    limit: pageLimit,
    cursor: z
      .string()
      .regex(/^\d{1,15}$/, 'use the `next` value of the previous page')
      .optional(),
  }),
  answers: { 200: { says: 'A page of notices.', schema: noticesPageSchema } },
  handle: async ({ db }, { caller, query: { state = null, limit, cursor } }) => {
    const before = cursor === undefined ? null : Number(cursor);
    const { groups } = caller;
    const found = await listNotices(db, { groups, state, before, limit: limit + 1 });
    const page = found.slice(0, limit);
    const next = found.length > limit ? String(page.at(-1)?.number) : null;
    return { status: 200, body: { notices: page.map(shown), next } };
  },
});

const read = route({
  method: 'get',
  path: '/v1/notices/{id}',
  right: 'read',
  summary: 'Read a notice',
  params: z.strictObject({ id: text(40) }),
  answers: { 200: { says: 'The notice with its deliveries.', schema: noticeSchema } },
  problems: ['not_found'],
  handle: async ({ db }, { caller, params: { id } }) => {
    const notice = await readNotice(db, id, caller.groups);
    if (notice === null) throw new HttpProblem('not_found');
    return { status: 200, body: shown(notice) };
  },
});

const channels = route({
  method: 'get',
  path: '/v1/notices/channels',
  right: 'operate',
  summary: 'List the channels for notices',
  answers: { 200: { says: 'Each channel and its deliveries.', schema: noticeChannelsSchema } },
  handle: async (deps) => ({ status: 200, body: { channels: await channelsOf(deps) } }),
});

async function channelsOf({ db, configuration }: Dependencies) {
  const [{ configuration: inForce }, uses] = await Promise.all([
    configuration(),
    readChannelUse(db),
  ]);
  return Promise.all(
    Object.entries(inForce.notices).map(async ([name, { kind, for: audiences, settings }]) => ({
      ...{ name, kind, for: audiences },
      closedAt: await closedSince(db, name, settings),
      ...(uses.get(name) ?? unused),
    })),
  );
}

const unused = { waiting: 0, failed: 0, lastDeliveredAt: null, lastReason: null };

const test = route({
  method: 'post',
  path: '/v1/notices/test',
  right: 'operate',
  summary: 'Send a test notice over a channel',
  description:
    'A worker sends it like any notice. Read it to see whether it arrived. A test that arrives opens a channel again that was closed.',
  body: smallBody(noticeTestSchema, { mail: { channel: 'mail', to: 'ada@example.com' } }),
  answers: { 202: { says: 'A worker will send the notice.', schema: noticeTestedSchema } },
  problems: ['not_found', 'request_invalid'],
  handle: async (deps, { caller, body }) => {
    const { configuration } = await deps.configuration();
    const configured = channelNamed(configuration, body.channel);
    if (configured === undefined) throw new HttpProblem('not_found');
    const recipient = recipientOf(configured, body.to);
    const id = await deps.db.transaction().execute(async (trx) => {
      await writeAudit(trx, {
        actor: actorOf(caller),
        action: 'notice.tested',
        subject: body.channel,
      });
      return writeTestNotice(trx, body.channel, recipient);
    });
    return { status: 202, body: { id } };
  },
});

/** @throws HttpProblem unless the channel has a recipient, and only a mail channel is given one */
function recipientOf(
  { kind, settings }: { kind: string; settings: Readonly<Record<string, unknown>> },
  to: string | undefined,
): string | null {
  const invalid = (says: string) =>
    new HttpProblem('request_invalid', { issues: [{ path: ['to'], says }] });
  if (kind !== 'mail') {
    if (to !== undefined) throw invalid('is for channels of the kind mail only');
    return null;
  }
  if (to !== undefined && !isMailAddress(to)) throw invalid('is not a mail address');
  const operators = Array.isArray(settings.to) ? settings.to.length : 0;
  if (to === undefined && operators === 0)
    throw invalid('is required, because the channel has no addresses of operators');
  return to ?? null;
}

export const noticeRoutes: readonly Route[] = [list, channels, test, read];
