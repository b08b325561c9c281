import { z } from 'zod';
import { secretReference } from '../../model/configuration/document';
import { httpShape, httpsUrl } from '../http/settings';

/** An attribute, a part of one, or one of an extension: `userName`, `emails.value`, `urn:…:User:employeeNumber`. */
const attributePath = z
  .string()
  .regex(/^(urn:[\w.:-]+:)?[A-Za-z][\w-]*(\.[A-Za-z][\w-]*)?$/, 'give the path of an attribute');

export const scimSettings = z.strictObject({
  url: httpsUrl.describe('https:// address of the SCIM 2.0 API, below which /Users is.'),
  token: z
    .string()
    .regex(secretReference, 'give ${file:…} or ${env:…}')
    .describe('The bearer token of Lockstep.'),
  attributes: z
    .array(attributePath)
    .default(['externalId', 'emails.value'])
    .describe('Attributes to read for correlation, by their path; userName is always read.'),
  write: z
    .enum(['path', 'value'])
    .default('path')
    .describe(
      'Where the name of the attribute stands in the PATCH: in `path` (RFC 7644), or in `value`, which is all that some servers take.',
    ),
  ...httpShape,
});

export type ScimSettings = z.infer<typeof scimSettings>;
