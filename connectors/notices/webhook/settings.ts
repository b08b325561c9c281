import { z } from 'zod';
import { secretReference } from '../../../model/configuration/document';
import { httpShape, httpsAddress } from '../../http/settings';

const reference = z.string().regex(secretReference, 'give ${file:…} or ${env:…}');

const { ca, serverName, allowPrivateAddresses, timeoutMs } = httpShape;

/** The settings of a receiver of HTTPS requests. */
export const receiverShape = {
  url: httpsAddress.describe('Address to which each notice is posted: https://host[:port]/path.'),
  ...{ ca, serverName, allowPrivateAddresses, timeoutMs },
};

export const webhookSettings = z.strictObject({
  ...receiverShape,
  secret: reference.describe(
    'Secret that signs each notice as in Standard Webhooks: whsec_ and base64 of 24 bytes or more.',
  ),
  previousSecret: reference
    .optional()
    .describe(
      'Secret that was used before. While it is set, each notice has a signature by both, so that the receiver can change its secret at any time.',
    ),
});

export type WebhookSettings = z.infer<typeof webhookSettings>;
