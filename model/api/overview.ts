import { z } from 'zod';
import { type HeldNow, heldNow } from '../change/held-now';
import { outcomeStates } from '../change/outcome';
import { notedProblems } from '../people/links';
import { changeSummarySchema, outcomeReason } from './changes';
import { describeCodes, keysOf, time, timeOrNull } from './fields';
import { staleHereSchema } from './stale';
import { describedFields } from './titles';

/** Everything about the passwords of one person. */

const heldSchema = z.object({
  change: z.string().describe('The id of the change that this password came with.'),
  since: time.describe('When it was written, or changed in the source.'),
  proof: z
    .enum(['login', 'hash', 'timestamp', 'none'])
    .describe('How it was verified then; `none` if it was not.'),
});

const openSchema = z.object({
  change: z.string(),
  state: z.enum(keysOf(outcomeStates)),
  reason: outcomeReason.describe(
    'Why it waits, is parked, or is not begun; null if nothing keeps it.',
  ),
  says: z.string().describe('The state and its reason, for a person to read.'),
  nextTryAt: timeOrNull.describe('When it is tried next; null while its source is paused.'),
});

export const accountOverviewSchema = z.object({
  source: z.string(),
  ...describedFields,
  account: z.string(),
  primary: z.boolean(),
  problem: z.enum(['linked_twice', ...notedProblems]).nullable(),
  holds: z
    .enum(['newest', 'older', 'unknown'])
    .describe(
      '`newest`: nothing shows that it holds another password than the newest. `older`: it holds another one, see `stale` and `open`. `unknown`: it is not known which one it holds.',
    ),
  holdsNow: z
    .enum(keysOf<HeldNow>(heldNow))
    .describe(`The same in more detail.\n${describeCodes(heldNow)}`),
  holdsSays: z.string().describe('What the account holds, for a person to read.'),
  held: heldSchema.nullable().describe('The last password of Lockstep that the account took.'),
  signInPrevented: z
    .string()
    .nullable()
    .describe('What kept the person from signing in when the account was written.'),
  open: openSchema.nullable().describe('What a change in progress does with the account.'),
  stale: staleHereSchema.nullable(),
});

export const declinedCaptureSchema = z.object({
  at: time,
  source: z.string().nullable(),
  account: z.string().nullable(),
  reason: z.string(),
  says: z.string().describe('Why the capture had no effect.'),
});

export const passwordExpirySchema = z.object({
  group: z.string(),
  changedAt: timeOrNull.describe(
    'When the password was last changed; null if no change of Lockstep and no look has shown that.',
  ),
  expiresAt: timeOrNull.describe('When it expires; null if it is unknown when it was changed.'),
});

export const overviewSchema = z
  .object({
    name: z.string(),
    accounts: z.array(accountOverviewSchema),
    expiry: z
      .array(passwordExpirySchema)
      .describe('The groups of the person whose passwords expire.'),
    changes: z.array(changeSummarySchema).describe('The newest changes, the newest first.'),
    captures: z
      .array(declinedCaptureSchema)
      .describe('The newest captures that had no effect, the newest first.'),
    next: z.array(z.string()).describe('What to do next, in sentences; empty if nothing.'),
  })
  .meta({ id: 'Overview' });

export type Overview = z.output<typeof overviewSchema>;
export type AccountOverview = z.output<typeof accountOverviewSchema>;
