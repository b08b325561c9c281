import { z } from 'zod';
import { notedProblems } from '../people/links';
import { mappingState, storedFrom } from './changes';
import { staleHereSchema } from './stale';

/** A person with accounts, and with mappings where a single person is read. */

export const linkedAccountSchema = z.object({
  source: z.string(),
  name: z.string(),
  nativeId: z
    .string()
    .nullable()
    .describe(
      'The id of the account in the source; null if the source has none, or Lockstep has not read the account yet.',
    ),
  primary: z.boolean(),
  linkedBy: z.enum(['operator', 'correlation', 'refresh', 'scim']),
  problem: z
    .enum(['linked_twice', ...notedProblems])
    .nullable()
    .describe(
      'Why the account gets no password until an operator corrects the link; null if nothing is wrong.',
    ),
  missingSince: z
    .string()
    .nullable()
    .meta({ type: ['string', 'null'], format: 'date-time' })
    .describe(
      'When a refresh first found the account missing in a complete list of its source; null while it is listed.',
    ),
});

export const identitySchema = z
  .object({
    name: z.string(),
    attributes: z.record(z.string(), z.string()),
    accounts: z.array(linkedAccountSchema),
  })
  .meta({ id: 'Identity' });

export const identityMappingSchema = z.object({
  application: z.string(),
  source: z.string(),
  account: z.string(),
  enabled: z.boolean(),
  state: mappingState,
  reason: z.string().nullable(),
  storedFrom,
});

export const listedMappingSchema = identityMappingSchema
  .extend({ id: z.string(), identity: z.string() })
  .meta({ id: 'Mapping' });

export const mappingsPageSchema = z.object({
  mappings: z.array(listedMappingSchema),
  next: z.string().nullable(),
});

export const identityWithMappingsSchema = identitySchema
  .extend({
    accounts: z.array(
      linkedAccountSchema.extend({
        stale: staleHereSchema
          .nullable()
          .describe(
            'Why the account does not hold the current password of the person; null if nothing shows that, and for an account that the API key may not see the changes of.',
          ),
      }),
    ),
    mappings: z.array(identityMappingSchema),
  })
  .meta({ id: 'IdentityWithMappings' });

export const identitiesPageSchema = z.object({
  identities: z.array(identitySchema),
  next: z.string().nullable(),
});

export const importedPersonSchema = z
  .object({
    name: z.string(),
    result: z
      .enum(['added', 'updated', 'unchanged', 'conflict'])
      .describe('What became, or would become, of the person. A conflict changes nothing.'),
    conflicts: z.array(z.string()).describe('Why nothing was stored, in sentences without a dot.'),
  })
  .meta({ id: 'ImportedPerson' });

export const importedPeopleSchema = z.object({ people: z.array(importedPersonSchema) });

export type ImportedPerson = z.output<typeof importedPersonSchema>;
export type ImportedPeople = z.output<typeof importedPeopleSchema>;
export type LinkedAccount = z.output<typeof linkedAccountSchema>;
export type Identity = z.output<typeof identitySchema>;
export type ListedMapping = z.output<typeof listedMappingSchema>;
export type MappingsPage = z.output<typeof mappingsPageSchema>;
export type IdentityWithMappings = z.output<typeof identityWithMappingsSchema>;
export type IdentitiesPage = z.output<typeof identitiesPageSchema>;
