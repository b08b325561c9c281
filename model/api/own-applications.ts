import { z } from 'zod';
import { mappingState, storedFrom } from './changes';
import { time } from './fields';
import { describedFields, titleSchema } from './titles';

/** The applications of one person, with what is stored for them. No answer contains a credential. */

const ownApplicationSchema = z
  .object({
    id: z
      .string()
      .nullable()
      .describe('The id of the mapping; null for an account that several people share.'),
    application: z.string(),
    ...describedFields,
    source: z.string(),
    sourceTitle: titleSchema,
    account: z.string().nullable().describe('Null for an account that several people share.'),
    enabled: z.boolean().describe('Whether the mapping is enabled.'),
    applicationEnabled: z.boolean(),
    state: mappingState,
    reason: z.string().nullable(),
    storedFrom,
    since: time.describe('When the credential was stored or flagged; else when the mapping began.'),
    follows: z
      .boolean()
      .describe('Whether the stored credential takes each new password of the person.'),
    maySet: z
      .boolean()
      .describe('Whether the person may store the credential, because it can be verified.'),
    maySwitch: z.boolean().describe('Whether the person may enable and disable the mapping.'),
  })
  .meta({ id: 'OwnApplication' });

export const ownApplicationsSchema = z
  .object({ name: z.string(), applications: z.array(ownApplicationSchema) })
  .meta({ id: 'OwnApplications' });

export type OwnApplication = z.output<typeof ownApplicationSchema>;
export type OwnApplications = z.output<typeof ownApplicationsSchema>;
