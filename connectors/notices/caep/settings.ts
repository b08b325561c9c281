import { z } from 'zod';
import { secretReference } from '../../../model/configuration/document';
import { receiverShape } from '../webhook/settings';

export const subjectFormats = ['email', 'iss_sub', 'opaque', 'account'] as const;

export const caepSettings = z
  .strictObject({
    ...receiverShape,
    audience: z
      .string()
      .min(1)
      .max(255)
      .describe('Name of the receiver, which it expects in the claim `aud`.'),
    token: z
      .string()
      .regex(secretReference, 'give ${file:…} or ${env:…}')
      .optional()
      .describe('Bearer token, for a receiver that requires one.'),
    subject: z
      .enum(subjectFormats)
      .default('email')
      .describe('Format by which the receiver identifies people (RFC 9493).'),
    subjectAttribute: z
      .string()
      .min(1)
      .default('mail')
      .describe(
        'Attribute of the person with the identifier; `name` is the name of the person. For account: user@host.',
      ),
    subjectIssuer: z
      .url()
      .optional()
      .describe('Issuer of the identifiers, for iss_sub: the URL of the identity provider.'),
  })
  .refine(
    ({ subject, subjectIssuer }) => (subject === 'iss_sub') === (subjectIssuer !== undefined),
    {
      path: ['subjectIssuer'],
      error: 'give it with subject: iss_sub, and only with it',
    },
  );

export type CaepSettings = z.infer<typeof caepSettings>;
