import { z } from 'zod';
import { secretReference } from '../../model/configuration/document';
import { httpShape, httpsUrl } from '../http/settings';

/** Path of an attribute, a sub-attribute or an extension: `userName`, `emails.value`, `urn:…:User:employeeNumber`. */
const attributePath = z
  .string()
  .regex(/^(urn:[\w.:-]+:)?[A-Za-z][\w-]*(\.[A-Za-z][\w-]*)?$/, 'give the path of an attribute');

export const scimSettings = z.strictObject({
  url: httpsUrl.describe('Address of the SCIM 2.0 API, with https:// and without /Users.'),
  token: z
    .string()
    .regex(secretReference, 'give ${file:…} or ${env:…}')
    .describe('Bearer token of Lockstep for this API.'),
  attributes: z
    .array(attributePath)
    .default(['externalId', 'emails.value'])
    .describe('Paths of the attributes to read for correlation. userName is always read.'),
  write: z
    .enum(['path', 'value'])
    .default('path')
    .describe(
      'Where the PATCH names the attribute: in `path` (RFC 7644), or in `value`, for servers that accept only that.',
    ),
  ...httpShape,
});

export type ScimSettings = z.infer<typeof scimSettings>;
