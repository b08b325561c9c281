import { z } from 'zod';
import { secretReference } from '../../model/configuration/document';
import { httpShape, httpsUrl } from '../http/settings';

export const entraSettings = z.strictObject({
  tenant: z
    .string()
    .regex(/^[\w.-]+$/, 'give the id of the tenant, or one of its domains')
    .describe('The id of the tenant, or one of its domains.'),
  clientId: z.string().min(1).describe('An app registration.'),
  clientSecret: z
    .string()
    .regex(secretReference, 'give ${file:…} or ${env:…}')
    .describe('Its client secret.'),
  graphUrl: httpsUrl
    .default('https://graph.microsoft.com')
    .describe('Address of Microsoft Graph in your cloud.'),
  loginUrl: httpsUrl
    .default('https://login.microsoftonline.com')
    .describe('Address at which your cloud gives tokens.'),
  attributes: z
    .array(z.string().regex(/^[A-Za-z]\w*$/, 'give the name of a property'))
    .default(['mail', 'employeeId'])
    .describe('Properties to read for correlation; userPrincipalName is always read.'),
  ...httpShape,
});

export type EntraSettings = z.infer<typeof entraSettings>;
