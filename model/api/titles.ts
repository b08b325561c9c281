import { z } from 'zod';

/** What people read about a source, a group or an application, in each language. */
export const textsSchema = z.object({ en: z.string(), de: z.string() }).meta({ id: 'Texts' });

export const titleSchema = textsSchema.describe(
  'The name that people read instead of the technical name.',
);

export const describedFields = {
  title: titleSchema,
  hint: z
    .union([textsSchema, z.null()])
    .describe('A sentence that people read below the title; null if the configuration has none.'),
};
