import { z } from 'zod';
import { secretReference } from '../../model/configuration/document';
import { httpShape, httpsUrl } from '../http/settings';

export const pingOneSettings = z.strictObject({
  environment: z.uuid().describe('The id of the PingOne environment.'),
  clientId: z.string().min(1).describe('A worker application.'),
  clientSecret: z
    .string()
    .regex(secretReference, 'give ${file:…} or ${env:…}')
    .describe('Its secret.'),
  apiUrl: httpsUrl
    .default('https://api.pingone.com/v1')
    .describe('Address of the API of your region, with its /v1.'),
  authUrl: httpsUrl
    .default('https://auth.pingone.com')
    .describe('Address at which your region gives tokens.'),
  attributes: z
    .array(
      z
        .string()
        .regex(/^[A-Za-z]\w*(\.[A-Za-z]\w*)?$/, 'give an attribute, or a part such as name.family'),
    )
    .default(['email', 'externalId'])
    .describe('Attributes to read for correlation; username is always read.'),
  ...httpShape,
});

export type PingOneSettings = z.infer<typeof pingOneSettings>;
