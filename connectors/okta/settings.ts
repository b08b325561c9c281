import { z } from 'zod';
import { secretReference } from '../../model/configuration/document';
import { httpShape, httpsUrl } from '../http/settings';

const secret = z.string().regex(secretReference, 'give ${file:…} or ${env:…}');

export const oktaSettings = z
  .strictObject({
    url: httpsUrl.describe('Address of the Okta organization, with https://.'),
    token: secret
      .optional()
      .describe('API token (SSWS) of an administrator. Alternative: clientId and privateKey.'),
    clientId: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Client id of a service app that signs in with privateKey (private_key_jwt), without DPoP.',
      ),
    privateKey: secret
      .optional()
      .describe(
        'Private key of the service app (PEM): RSA of 2048 bits or more, or EC (P-256, P-384, P-521).',
      ),
    keyId: z
      .string()
      .min(1)
      .optional()
      .describe('The kid of the private key, if the app has several keys.'),
    attributes: z
      .array(z.string().regex(/^[A-Za-z]\w*$/, 'give the name of a profile attribute'))
      .default(['email'])
      .describe('Profile attributes to read for correlation. login is always read.'),
    strict: z
      .boolean()
      .default(false)
      .describe(
        'Whether Okta applies password history and minimum age to writes by Lockstep. By default Okta exempts administrators.',
      ),
    proof: z
      .enum(['login', 'none'])
      .default('login')
      .describe(
        'How a new password is verified. login: by a primary authentication (POST /api/v1/authn), which the System Log records and which may send "new sign-on" mails. none: not at all, a success response to the write is trusted.',
      ),
    ...httpShape,
  })
  .refine(
    ({ token, clientId, privateKey }) =>
      (token === undefined) !== (clientId === undefined) &&
      (clientId === undefined) === (privateKey === undefined),
    { path: ['token'], error: 'give token, or clientId with privateKey' },
  );

export type OktaSettings = z.infer<typeof oktaSettings>;
