import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import type { NoticeChannels } from '../connectors/notices/open';
import { log } from '../log';
import { describedSource, groupTitle } from '../model/configuration/described';
import type { Configuration, NoticeChannel } from '../model/configuration/document';
import { channelNamed } from '../model/configuration/notice-channels';
import { errors, isErrorCode } from '../model/errors';
import type { NoticeFacts } from '../model/notices/facts';
import { type NoticeKind, noticeKinds } from '../model/notices/kinds';
import { deliveryReasons, nextTryInMs, type Sent } from '../model/notices/retry';
import { noticeText } from '../model/notices/text';
import type { AppliedConfiguration } from '../store/configuration/versions';
import type { Database } from '../store/database';
import { closeChannel, closedSince, reopenChannel } from '../store/notices/closed-channels';
import { beginDelivery, type DeliveryAtWork, endAttempt } from '../store/notices/deliveries';
import { renewCode } from '../store/people/one-time-links';
import { readPublicUrl } from '../store/public-url';

/** What the delivery of notices uses. */
export interface NoticeDependencies {
  readonly db: Database;
  readonly configuration: () => Promise<AppliedConfiguration>;
  readonly channels: Pick<NoticeChannels, 'send'>;
  /** Counts one attempt that ended as this. */
  readonly count: (channel: string, result: Sent['result']) => void;
}

/**
 * Makes one attempt at a delivery, and stores how it ended. Temporal repeats it after each failure that it throws.
 * @throws ApplicationFailure with the reason and the wait before the next attempt; nothing secret or personal
 */
export function deliverNotice(deps: NoticeDependencies) {
  return async (deliveryId: string): Promise<void> => {
    const delivery = await beginDelivery(deps.db, deliveryId);
    if (delivery === null) return;
    const { configuration } = await deps.configuration();
    const channel = channelNamed(configuration, delivery.channel);
    const sent = await attempt(deps, delivery, channel, configuration);
    deps.count(delivery.channel, sent.result);
    await settle(deps.db, delivery, sent);
  };
}

async function attempt(
  { db, channels }: NoticeDependencies,
  delivery: DeliveryAtWork,
  channel: NoticeChannel | undefined,
  configuration: Configuration,
): Promise<Sent> {
  const { channel: name, kind } = delivery;
  if (channel === undefined) return { result: 'failed', reason: 'channel_removed' };
  const closed = kind !== 'test' && (await closedSince(db, name, channel.settings)) !== null;
  if (closed) return { result: 'failed', reason: 'endpoint_gone' };
  const link = kind === 'one_time_link' ? await newLinkOf(db, delivery) : null;
  if (link !== null && 'result' in link) return link;
  const facts = { ...factsOf(delivery, channel), ...link };
  const outgoing = {
    id: delivery.id,
    kind,
    recipient: delivery.recipient,
    facts,
    text: noticeText(kind, channel.language, titled(kind, facts, channel, configuration)),
    person: personOf(delivery),
    startedBy: delivery.startedBy,
  };
  const sent = await channels.send(name, channel, outgoing).catch((error: unknown): Sent => {
    log.error('a notice could not be sent for a reason that Lockstep does not know', {
      noticeId: delivery.id,
      error,
    });
    return { result: 'retry', reason: 'internal', afterMs: null };
  });
  if (sent.result === 'gone') await closeChannel(db, name, channel.settings);
  if (sent.result === 'delivered' && kind === 'test') await reopenChannel(db, name);
  return sent;
}

/** The link of a mail. Its code is made here, and is in the mail only. */
async function newLinkOf(
  db: Database,
  { subject }: DeliveryAtWork,
): Promise<Pick<NoticeFacts, 'link' | 'endsAt'> | Extract<Sent, { result: 'failed' }>> {
  const publicUrl = await readPublicUrl(db);
  if (publicUrl === null) return { result: 'failed', reason: 'no_issuer' };
  const made = await renewCode(db, subject ?? '');
  if (made === null) return { result: 'failed', reason: 'link_ended' };
  return { link: `${publicUrl}/password/link#${made.code}`, endsAt: made.expiresAt };
}

const personOf = ({ identityId, person, attributes }: DeliveryAtWork) =>
  identityId === null ? null : { id: identityId, name: person ?? '', attributes: attributes ?? {} };

function factsOf(delivery: DeliveryAtWork, { settings }: NoticeChannel): NoticeFacts {
  const { person, at, subject, changeId, reminder, sources, unsure, detail } = delivery;
  const { reason, about, endsAt, count, names, left } = detail;
  return {
    ...{ person, at, subject, changeId, reminder, sources, unsure },
    reason: typeof reason === 'string' && isErrorCode(reason) ? errors[reason].says : null,
    about: typeof about === 'string' ? about : null,
    endsAt: typeof endsAt === 'string' ? new Date(endsAt) : null,
    count: typeof count === 'number' ? count : 0,
    names: Array.isArray(names) ? names.map(String) : [],
    left: left === true,
    link: null,
    contact: typeof settings.contact === 'string' ? settings.contact : null,
  };
}

/** The facts of a text. A person reads titles; an operator reads the technical names, which the commands need. */
function titled(
  kind: NoticeKind,
  facts: NoticeFacts,
  { language }: NoticeChannel,
  configuration: Configuration,
): NoticeFacts {
  if (noticeKinds[kind].audience !== 'people') return facts;
  const titleOf = (name: string) => describedSource(configuration, name).title[language];
  return {
    ...facts,
    sources: facts.sources.map(titleOf),
    unsure: facts.unsure.map(titleOf),
    about: facts.about === null ? null : groupTitle(configuration, facts.about)[language],
  };
}

/** Stores how the attempt ended. @throws ApplicationFailure when the delivery is to be repeated */
async function settle(db: Database, { id, attempts, ageMs }: DeliveryAtWork, sent: Sent) {
  if (sent.result === 'delivered')
    return endAttempt(db, id, { state: 'delivered', reason: null, nextTryInMs: null });
  const { reason } = sent;
  const wait = sent.result === 'retry' ? nextTryInMs(attempts, sent.afterMs, ageMs) : null;
  const state = wait === null ? 'failed' : 'waiting';
  await endAttempt(db, id, { state, reason, nextTryInMs: wait });
  if (wait === null) return;
  const failure = ApplicationFailure.create({
    type: reason,
    message: deliveryReasons[reason],
    nextRetryDelay: wait,
    category: ApplicationFailureCategory.BENIGN,
  });
  failure.stack = '';
  throw failure;
}
