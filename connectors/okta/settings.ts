import { z } from 'zod';
import { secretReference } from '../../model/configuration/document';
import { httpShape, httpsUrl } from '../http/settings';

const secret = z.string().regex(secretReference, 'give ${file:…} or ${env:…}');

export const oktaSettings = z
  .strictObject({
    url: httpsUrl.describe('https:// address of the Okta organization.'),
    token: secret.optional().describe('An API token (SSWS). Or clientId and privateKey.'),
    clientId: z
      .string()
      .min(1)
      .optional()
      .describe('A service app, which signs in with privateKey (private_key_jwt), not with DPoP.'),
    privateKey: secret.optional().describe('Its private key, RSA or EC (PEM).'),
    keyId: z
      .string()
      .min(1)
      .optional()
      .describe('The kid of the key, where the app has more than one.'),
    attributes: z
      .array(z.string().regex(/^[A-Za-z]\w*$/, 'give the name of a profile attribute'))
      .default(['email'])
      .describe('Profile attributes to read for correlation; login is always read.'),
    strict: z
      .boolean()
      .default(false)
      .describe(
        'Let Okta look at password history and minimum age too. It does not for an administrator otherwise.',
      ),
    proof: z
      .enum(['login', 'none'])
      .default('login')
      .describe(
        'login: a primary authentication (POST /api/v1/authn), which the System Log shows, and which may send "new sign-on" mails. none: the answer to the write is believed.',
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
