import { z } from 'zod';
import { secretReference } from '../../model/configuration/document';
import { httpShape, httpsUrl } from '../http/settings';

export const entraSettings = z.strictObject({
  tenant: z
    .string()
    .regex(/^[\w.-]+$/, 'give the id of the tenant, or one of its domains')
    .describe('Id of the tenant, or one of its domains.'),
  clientId: z.string().min(1).describe('Application (client) id of the app registration.'),
  clientSecret: z
    .string()
    .regex(secretReference, 'give ${file:…} or ${env:…}')
    .describe('Client secret of the app registration.'),
  graphUrl: httpsUrl
    .default('https://graph.microsoft.com')
    .describe('Address of Microsoft Graph in the cloud of the tenant.'),
  loginUrl: httpsUrl
    .default('https://login.microsoftonline.com')
    .describe('Address from which the cloud of the tenant issues tokens.'),
  attributes: z
    .array(z.string().regex(/^[A-Za-z]\w*$/, 'give the name of a property'))
    .default(['mail', 'employeeId'])
    .describe('Properties to read for correlation. userPrincipalName is always read.'),
  ...httpShape,
});

export type EntraSettings = z.infer<typeof entraSettings>;
