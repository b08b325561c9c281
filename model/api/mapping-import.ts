import { z } from 'zod';
import { mappingRowReasons, mappingRowStatuses } from '../people/mapping-rows';
import { describeCodes, keysOf } from './fields';

/** What becomes, or became, of each row of a list of mappings. */

const reason = z.enum(keysOf(mappingRowReasons));

export const mappingRowSchema = z
  .object({
    row: z.int().describe('The position of the row in the request, from 0.'),
    status: z.enum(mappingRowStatuses).meta({
      description:
        '`create`: it would be created. `created`: it was created. `exists`: it needs nothing. `conflict`, `unknown`: it is not created.',
    }),
    reason: reason.nullable().meta({
      description: `Null for a row that is created. ${describeCodes(mappingRowReasons)}`,
    }),
    says: z.string().nullable().describe('The reason as a sentence.'),
    identity: z.string(),
    application: z.string(),
    account: z.string().nullable(),
    links: z.boolean().describe('Whether the account is linked to the person as well.'),
  })
  .meta({ id: 'MappingRow' });

export const mappingPlanSchema = z
  .object({
    counts: z.object({
      create: z.int(),
      created: z.int(),
      exists: z.int(),
      conflict: z.int(),
      unknown: z.int(),
    }),
    rows: z.array(mappingRowSchema),
  })
  .meta({ id: 'MappingPlan' });

export const generatedMappingsSchema = mappingPlanSchema
  .extend({
    skipped: z
      .array(z.string())
      .describe('Users for whom the rule makes no name, because they lack the attribute.'),
    next: z.string().nullable().describe('The cursor of the next page of people.'),
  })
  .meta({ id: 'GeneratedMappings' });

export type MappingRow = z.output<typeof mappingRowSchema>;
export type MappingPlan = z.output<typeof mappingPlanSchema>;
export type GeneratedMappings = z.output<typeof generatedMappingsSchema>;
