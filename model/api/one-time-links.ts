import { z } from 'zod';
import { callerChecks } from '../people/one-time-link';
import { keysOf, text, time } from './fields';

/** Links with which a person sets a new password without the current one. */

export const wantedLinkSchema = z
  .strictObject({
    check: z
      .enum(keysOf(callerChecks))
      .describe('How the agent has checked that the caller is the person. The audit records it.'),
    reason: text(200).describe(
      'Why, such as the number of a ticket. The audit records it, so never give a password here.',
    ),
    deliver: z
      .enum(['agent', 'mail'])
      .default('agent')
      .describe(
        'agent: the answer shows the link once. mail: a worker sends it to the current mail address of the person, and no one else sees it.',
      ),
    comment: text(500).nullable().default(null).describe('What else the audit should record.'),
  })
  .refine(({ check, comment }) => check !== 'other' || comment !== null, {
    path: ['comment'],
    message: 'describe how you have checked the caller',
  })
  .meta({ id: 'WantedOneTimeLink' });

export const oneTimeLinkSchema = z
  .object({
    id: z.string(),
    page: z
      .string()
      .describe('The page that the person opens. The link is the page, `#` and the code.'),
    code: z
      .string()
      .nullable()
      .describe('The code. It is shown only once. Null if it is sent by mail.'),
    sentTo: z.string().nullable().describe('The mail address to which it is sent.'),
    expiresAt: time,
  })
  .meta({ id: 'OneTimeLink' });

export type OneTimeLink = z.output<typeof oneTimeLinkSchema>;
