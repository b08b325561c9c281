import { z } from 'zod';

/** The kinds of sources that Lockstep supports. */

export const connectorsSchema = z.object({
  kinds: z.array(
    z.object({
      kind: z.string(),
      title: z.string(),
      settings: z
        .record(z.string(), z.unknown())
        .describe('The JSON schema of its settings, with a description of each.'),
      secretSettings: z
        .array(z.string())
        .describe('The settings whose value must be `${file:…}` or `${env:…}`.'),
      proof: z
        .enum(['login', 'hash', 'none'])
        .describe('How a new password is verified; `none` if it cannot be.'),
      needs: z.array(z.string()).describe('Requirements on the source, as sentences in Markdown.'),
    }),
  ),
  secretPlaces: z
    .array(z.object({ folder: z.string(), prefix: z.string() }))
    .describe(
      'Where the workers read secrets: files below `folder`, and variables that begin with `prefix`. Empty while no worker runs.',
    ),
});

export type Connectors = z.output<typeof connectorsSchema>;
export type ConnectorKindRow = Connectors['kinds'][number];
