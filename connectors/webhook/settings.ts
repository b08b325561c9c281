import { z } from 'zod';
import { secretReference } from '../../model/configuration/document';
import { httpShape, httpsAddress } from '../http/settings';
import { servedShape } from '../wire/settings';

const reference = z.string().regex(secretReference, 'give ${file:…} or ${env:…}');

export const webhookSettings = z
  .strictObject({
    url: httpsAddress.describe('Where each request is posted: https://host[:port]/path.'),
    ...httpShape,
    signingSecret: reference
      .optional()
      .describe(
        'Signs each request as Standard Webhooks has it: whsec_ and base64, or a text of at least 24 bytes.',
      ),
    token: reference.optional().describe('A bearer token, for a receiver that asks for one.'),
    recipientKey: z
      .string()
      .min(1)
      .optional()
      .describe(
        'File with the public key (JWK or PEM) of the receiver: requests are sealed to it (JWE), so that nothing between here and there can read them.',
      ),
    clearInsideTls: z
      .literal(true)
      .optional()
      .describe(
        'Instead of recipientKey: whatever ends TLS in front of the receiver reads passwords.',
      ),
    ...servedShape,
  })
  .refine(({ signingSecret, token }) => signingSecret !== undefined || token !== undefined, {
    path: ['signingSecret'],
    error: 'give signingSecret or token, by which the receiver knows Lockstep',
  })
  .refine(
    ({ recipientKey, clearInsideTls }) =>
      (recipientKey === undefined) !== (clearInsideTls === undefined),
    {
      path: ['recipientKey'],
      error: 'give recipientKey, or say clearInsideTls: true if TLS is enough for passwords',
    },
  );

export type WebhookSettings = z.infer<typeof webhookSettings>;
