import { z } from 'zod';
import type { Configuration } from '../configuration/document';
import { schemes } from '../hashes/encoding';
import { actorSchema } from './audit';
import { time } from './fields';

/** What applying a configuration would change, and the version that is in force. */

export const configurationVersion = z
  .int()
  .min(0)
  .describe('0 before a configuration was applied; grows by one with each that is.');

const sentences = z.array(z.string());

export const groupFitSchema = z.object({
  group: z.string(),
  policy: z.string(),
  impossible: sentences.describe('Rules that no password can satisfy together.'),
  notGuaranteed: sentences.describe(
    'Passwords that the policy of the group accepts although a source may reject them.',
  ),
  warnings: sentences.describe(
    'Password filters that leave a weaker password, or too little of it.',
  ),
  fits: z
    .string()
    .nullable()
    .describe('The passwords that every source accepts; null if there are none.'),
  unread: sentences.describe('Sources that "lockstep doctor" has not checked yet.'),
});

const differenceSchema = z.object({
  action: z.enum(['create', 'update', 'delete']),
  section: z.string(),
  name: z.string(),
  fields: z.array(z.string()),
});

const deletedSchema = z.object({
  section: z.string(),
  name: z.string(),
  accounts: z.int().describe('Linked accounts in the source.'),
  mappings: z.int().describe('Mappings of the application, or of accounts in the source.'),
});

const hashPathSchema = z.object({
  from: z.string(),
  form: z.enum(schemes),
  to: z.array(z.string()).describe('The sources that store the hash unchanged.'),
  warnings: z.array(z.string()),
});

const fieldDifferenceSchema = z.object({
  path: z.string(),
  from: z.unknown().describe('Null if the field was not set.'),
  to: z.unknown().describe('Null if the field is not set any more.'),
});

export const configurationPlanSchema = z.object({
  version: configurationVersion,
  differences: z.array(
    differenceSchema.extend({
      values: z
        .array(fieldDifferenceSchema)
        .describe('The fields with their values before and after; empty unless it is an update.'),
    }),
  ),
  deletes: z.array(deletedSchema).describe('Sources and applications that would be deleted.'),
  hashPaths: z.array(hashPathSchema).describe('The sources that each captured hash would reach.'),
  warnings: sentences.describe(
    'Settings that have no effect now, or only with some capture agents. Settings under which no capture could ever succeed are refused.',
  ),
  fit: z.array(groupFitSchema).describe('Whether the policy of each group suits its sources.'),
});

export const configurationAppliedSchema = z.object({ version: configurationVersion });

const appliedVersion = {
  version: configurationVersion,
  appliedAt: time,
  appliedBy: actorSchema,
};

export const configurationVersionsSchema = z.object({
  versions: z.array(z.object(appliedVersion)),
  next: z.string().nullable(),
});

export const configurationVersionSchema = z.object({
  ...appliedVersion,
  configuration: z.custom<Configuration>().meta({ type: 'object' }),
});

export const configurationDifferencesSchema = z.object({
  from: configurationVersion,
  to: configurationVersion,
  differences: z.array(
    z.object({
      action: z.enum(['create', 'update', 'delete']),
      section: z.string(),
      name: z.string(),
      fields: z.array(fieldDifferenceSchema),
    }),
  ),
});

export type ConfigurationVersions = z.output<typeof configurationVersionsSchema>;
export type ConfigurationVersion = z.output<typeof configurationVersionSchema>;
export type ConfigurationDifferences = z.output<typeof configurationDifferencesSchema>;
export type GroupFit = z.output<typeof groupFitSchema>;
export type ConfigurationPlan = z.output<typeof configurationPlanSchema>;
export type ConfigurationApplied = z.output<typeof configurationAppliedSchema>;
