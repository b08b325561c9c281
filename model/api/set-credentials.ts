import { z } from 'zod';
import { credentialProofs } from '../people/set-credentials';

/** The answer to a stored credential. */
export const credentialSetSchema = z
  .object({
    identity: z.string(),
    application: z.string(),
    source: z.string(),
    account: z.string(),
    proof: z.enum(credentialProofs).meta({
      description:
        'How the password was verified: by a login, by comparison with the stored hash, or not at all, because the source offers neither.',
    }),
    enabled: z.boolean().describe('Whether the mapping is enabled.'),
  })
  .meta({ id: 'CredentialSet' });

export type CredentialSet = z.output<typeof credentialSetSchema>;
