import { z } from 'zod';
import { text } from '../../model/api/fields';

export const scimDocument = z.looseObject({}).meta({ id: 'ScimDocument' });
export const partQuery = z.object({
  attributes: text(1000).optional(),
  excludedAttributes: text(1000).optional(),
});
