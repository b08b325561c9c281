import { z } from 'zod';
import { secretReference } from '../../model/configuration/document';
import { httpShape, httpsAddress } from '../http/settings';
import { servedShape } from '../wire/settings';

const reference = z.string().regex(secretReference, 'give ${file:…} or ${env:…}');

export const webhookSettings = z
  .strictObject({
    url: httpsAddress.describe(
      'Address to which each request is posted: https://host[:port]/path.',
    ),
    ...httpShape,
    signingSecret: reference
      .optional()
      .describe(
        'Secret that signs each request as in Standard Webhooks: whsec_ and base64, or a text of at least 24 bytes.',
      ),
    token: reference.optional().describe('Bearer token, for a receiver that requires one.'),
    recipientKey: z
      .string()
      .min(1)
      .optional()
      .describe(
        'File with the public key (JWK or PEM) of the receiver. Requests are sealed to it (JWE), so that nothing between Lockstep and the receiver can read them.',
      ),
    clearInsideTls: z
      .literal(true)
      .optional()
      .describe(
        'Set to true instead of recipientKey to protect requests by TLS alone. A proxy that ends TLS in front of the receiver can then read passwords.',
      ),
    ...servedShape,
  })
  .refine(({ signingSecret, token }) => signingSecret !== undefined || token !== undefined, {
    path: ['signingSecret'],
    error: 'give signingSecret or token, so that the receiver can authenticate Lockstep',
  })
  .refine(
    ({ recipientKey, clearInsideTls }) =>
      (recipientKey === undefined) !== (clearInsideTls === undefined),
    {
      path: ['recipientKey'],
      error: 'give recipientKey, or clearInsideTls: true if TLS alone may protect passwords',
    },
  );

export type WebhookSettings = z.infer<typeof webhookSettings>;
