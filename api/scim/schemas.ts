import { z } from 'zod';
import { text } from '../../model/api/fields';

export const scimDocument = z.looseObject({}).meta({ id: 'ScimDocument' });

/**
 * What RFC 7643 §4.1 and RFC 7644 §3.5.2 require. Providers omit some of it, so only the OpenAPI document requires it.
 */
export const scimUser = z.looseObject({}).meta({
  id: 'ScimUser',
  required: ['schemas', 'userName'],
});
export const scimPatch = z.looseObject({}).meta({
  id: 'ScimPatch',
  required: ['schemas', 'Operations'],
});

export const partQuery = z.object({
  attributes: text(1000).optional(),
  excludedAttributes: text(1000).optional(),
});
