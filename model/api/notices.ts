import { z } from 'zod';
import { audiences, noticeKindNames } from '../notices/kinds';
import { deliveryReasons } from '../notices/retry';
import { deliveryStates } from '../notices/states';
import { describeCodes, keysOf, text, time, timeOrNull } from './fields';

/** Notices, their deliveries and the channels, as the API lists them. */

const reason = z.union([z.enum(keysOf(deliveryReasons)), z.null()]);

const deliverySchema = z.object({
  id: z.string().describe('The `webhook-id`, the `jti`, and the beginning of the Message-ID.'),
  channel: z.string(),
  state: z.enum(deliveryStates),
  reason: reason.describe(`Why it did not arrive, or not yet:\n${describeCodes(deliveryReasons)}`),
  attempts: z.int(),
  nextTryAt: timeOrNull,
  updatedAt: time,
});

export const noticeSchema = z
  .object({
    id: z.string(),
    kind: z.enum(noticeKindNames),
    state: z
      .enum(['new', 'sending', 'sent', 'withdrawn'])
      .describe(
        'new: it is held back, or no worker has looked at it yet. sending: a delivery waits. sent: every delivery has ended. withdrawn: it reported nothing new, or no channel takes it.',
      ),
    person: z.string().nullable().describe('The person that it is about; null for operators.'),
    change: z.string().nullable(),
    subject: z.string().nullable().describe('The source, relay, key or channel that it is about.'),
    reminder: z.boolean(),
    createdAt: time.describe('When the reported event happened.'),
    dueAt: time.describe('Until then it is held back, because its subject may recover.'),
    deliveries: z.array(deliverySchema),
  })
  .meta({ id: 'Notice' });

export const noticesPageSchema = z.object({
  notices: z.array(noticeSchema),
  next: z.string().nullable().describe('Cursor of the next page; null on the last page.'),
});

export const noticeChannelsSchema = z.object({
  channels: z.array(
    z.object({
      name: z.string(),
      kind: z.string(),
      for: z.array(z.enum(audiences)),
      closedAt: timeOrNull.describe(
        'When the receiver answered that it no longer exists; null while notices are sent.',
      ),
      waiting: z.int().describe('Deliveries that wait for another attempt.'),
      failed: z.int().describe('Deliveries that failed within the last day.'),
      lastDeliveredAt: timeOrNull,
      lastReason: reason.describe('Why the newest delivery that waits or failed did not arrive.'),
    }),
  ),
});

export const noticeTestSchema = z.strictObject({
  channel: text(40),
  to: text(320)
    .optional()
    .describe('The mail address that gets the test, for a channel of the kind mail.'),
});

export const noticeTestedSchema = z.object({ id: z.string() });

export type Notice = z.output<typeof noticeSchema>;
export type NoticesPage = z.output<typeof noticesPageSchema>;
export type NoticeChannels = z.output<typeof noticeChannelsSchema>;
export type NoticeTested = z.output<typeof noticeTestedSchema>;
