import { z } from 'zod';
import { acknowledgements } from '../adapters/message';
import { reportedOffline, reportedRejections } from '../change/reported-reasons';
import { describeCodes, text, time } from './fields';
import { publicKeyOf } from './relays';

/** What the API and an adapter exchange: see docs/adapters.md. */

export const initialisedSchema = z
  .object({
    keyId: z.string().describe('The id of the key to which messages are sealed from now on.'),
    sealed: z
      .boolean()
      .describe(
        'Whether messages arrive sealed to the key of the adapter. If false, the API opens them.',
      ),
    retryDelaySeconds: z.int().describe('The time to acknowledge a message, in seconds.'),
    maxPending: z.int().describe('Maximum number of unacknowledged messages.'),
    unacknowledged: z
      .int()
      .describe('Messages that were not acknowledged before. They are delivered again.'),
  })
  .meta({ id: 'AdapterSession' });

export const messageSchema = z.object({
  trackingId: z.string(),
  operation: z.literal('setPassword'),
  account: z.string().describe('The name of the account in the source.'),
  password: z.string().describe('The new password, as the password filter of the source makes it.'),
  oldPassword: z
    .string()
    .nullable()
    .describe('The password before; null if it is not sent or not known.'),
});

export const receivedSchema = z
  .object({
    messages: z.array(
      z.object({
        trackingId: z.string().describe('Identifies the message. It is the same in each delivery.'),
        delivery: z.int().describe('Number of this delivery, from 1.'),
        acknowledgeBy: time.describe(
          'After this time the adapter must not carry out the message any more, because it is delivered again.',
        ),
        message: messageSchema.optional().describe('The message, if the adapter has no key.'),
        sealed: z
          .string()
          .optional()
          .describe('The message as JWE compact (ECDH-ES on X25519, A256GCM), if it has one.'),
      }),
    ),
  })
  .meta({ id: 'AdapterMessages' });

const acknowledgementFields = {
  trackingId: text(40),
  result: z.enum(acknowledgements).describe(
    describeCodes({
      applied: 'the account holds the new password.',
      already_current: 'the account held it before.',
      rejected: 'the system refuses this password for this account; `reason` says why.',
      retry:
        'the password was certainly not written, and the same message may succeed later; `reason` says why.',
    }),
  ),
  reason: z
    .enum([...reportedRejections, ...reportedOffline, 'unknown'])
    .optional()
    .describe('With `rejected` or `retry`. Default: `policy` or `busy`.'),
  code: z
    .string()
    .regex(/^[\w.:-]{1,64}$/)
    .optional()
    .describe('The code of the system, which is kept with the outcome. Never a password.'),
  retryAfterSeconds: z
    .int()
    .min(0)
    .max(86_400)
    .optional()
    .describe('With `retry`: the time that the system asks Lockstep to wait, in seconds.'),
};

/** The acknowledgement of one message. @param message the schema of its free text, which is dropped unread */
export const acknowledgementOf = (message: z.ZodType) =>
  z
    .strictObject({ ...acknowledgementFields, message })
    .refine(
      ({ result, reason }) =>
        reason === undefined ||
        (result === 'rejected' && reportedRejections.some((known) => known === reason)) ||
        (result === 'retry' && [...reportedOffline, 'unknown'].includes(reason)),
      { path: ['reason'], error: 'is not a reason of this result' },
    )
    .meta({ id: 'Acknowledgement' });

export const acknowledgedSchema = z
  .object({
    effect: z.enum(['recorded', 'repeated', 'too_late']).meta({
      description: describeCodes({
        recorded: 'the acknowledgement is the outcome of the account.',
        repeated: 'the same result was acknowledged before.',
        too_late:
          'the acknowledgement has no effect: another result is known, the message was given up, or a newer change has replaced it.',
      }),
    }),
  })
  .meta({ id: 'AcknowledgementEffect' });

export const adapterSchema = z
  .object({
    source: z.string(),
    online: z.boolean(),
    ownKey: z.boolean().describe('Whether messages are sealed to a key of the adapter.'),
    initialisedAt: time,
    seenAt: time.describe('When the adapter last initialised, received or reported its status.'),
    pending: z.int().describe('Messages that were delivered and are not acknowledged.'),
  })
  .meta({ id: 'Adapter' });

export const newSessionSchema = z
  .strictObject({
    publicKey: publicKeyOf('X25519')
      .optional()
      .describe(
        'The public key of the adapter. Messages are sealed to it, so that no part of the API can read them. Without it, they are sealed to a key that this process of the API keeps in memory.',
      ),
  })
  .optional();
