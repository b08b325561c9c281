import { z } from 'zod';
import { secretReference } from '../../model/configuration/document';
import { httpShape, httpsUrl } from '../http/settings';

export const pingOneSettings = z.strictObject({
  environment: z.uuid().describe('Id of the PingOne environment.'),
  clientId: z.string().min(1).describe('Client id of the worker application.'),
  clientSecret: z
    .string()
    .regex(secretReference, 'give ${file:…} or ${env:…}')
    .describe('Client secret of the worker application.'),
  apiUrl: httpsUrl
    .default('https://api.pingone.com/v1')
    .describe('Address of the PingOne API in the region of the environment, with /v1.'),
  authUrl: httpsUrl
    .default('https://auth.pingone.com')
    .describe('Address from which the region of the environment issues tokens.'),
  attributes: z
    .array(
      z
        .string()
        .regex(/^[A-Za-z]\w*(\.[A-Za-z]\w*)?$/, 'give an attribute, or a part such as name.family'),
    )
    .default(['email', 'externalId'])
    .describe('Attributes to read for correlation. username is always read.'),
  ...httpShape,
});

export type PingOneSettings = z.infer<typeof pingOneSettings>;
