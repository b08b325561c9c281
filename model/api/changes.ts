import { z } from 'zod';
import { type ChangeState, changeStates } from '../change/change';
import { type CredentialOrigin, credentialOrigins } from '../change/credential-origin';
import { type HeadlineCode, headlineSentences } from '../change/headline';
import { holdings } from '../change/holds';
import { type OutcomeState, outcomeStates } from '../change/outcome';
import { type LeaveOutCode, leaveOutSays } from '../change/plan';
import { type SignInObstacle, signInObstacles } from '../change/sign-in-prevented';
import { type ErrorCode, errorCodes } from '../errors';
import { forms } from '../hashes/encoding';
import { describeCodes, errorCodeOrNull, keysOf, time, timeOrNull } from './fields';
import { waitingForSchema } from './presence';
import { describedFields } from './titles';

/** A change as the API returns it: every state and code comes with its sentence. */

export const changeStateSchema = z
  .enum(keysOf<ChangeState>(changeStates))
  .meta({ id: 'ChangeState', description: describeCodes(changeStates) });

const outcomeStateSchema = z
  .enum(keysOf<OutcomeState>(outcomeStates))
  .meta({ id: 'OutcomeState', description: describeCodes(outcomeStates) });

const leaveOutCodes = keysOf<LeaveOutCode>(leaveOutSays);
export const leaveOutReason = z.enum(leaveOutCodes).nullable();
export const outcomeReason = z
  .enum([...errorCodes, ...leaveOutCodes] as [ErrorCode | LeaveOutCode])
  .nullable();

export const changeAccountSchema = z.object({
  label: z
    .string()
    .describe(
      'Unique in the change: the name of the source, followed by a number from its second account on.',
    ),
  source: z.string(),
  ...describedFields,
  account: z
    .string()
    .nullable()
    .describe('The name of the account in its source; null until the account is found.'),
  role: z.enum(['auth', 'member']).describe('The auth account is changed first.'),
  outcome: outcomeStateSchema,
  says: z.string(),
  reason: outcomeReason.describe(
    'Why the account does not hold the new password, or why a rule left it out. For an applied account: why no login could verify the password, or `origin`.',
  ),
  reasonSays: z
    .string()
    .nullable()
    .describe(
      'The sentence about the reason. It names the limits of the source that Lockstep knows, and promises another attempt only for an account that waits.',
    ),
  rewriting: z
    .string()
    .nullable()
    .describe(
      'What the password filter of the source does to the password, in words, so that the account holds another one; null without a filter.',
    ),
  signInPrevented: z
    .enum(keysOf<SignInObstacle>(signInObstacles))
    .nullable()
    .describe(
      `What keeps the person from signing in, although the account holds the new password; null if nothing does, as far as the source shows it.\n${describeCodes(signInObstacles)}`,
    ),
  vendorCode: z.string().nullable().describe('The error code that the source returned.'),
  attempts: z.int(),
  inDoubt: z.boolean().describe('The account may hold either the old or the new password.'),
  proved: z.boolean().describe('Lockstep verified that the account holds the new password.'),
  proof: z.enum(['login', 'hash', 'timestamp', 'none']),
  holds: z
    .enum(holdings)
    .describe(
      'The password that the account holds now, as far as Lockstep knows: the `new` one of this change, the `earlier` one, or a `newer` one.',
    ),
  holdsSays: z.string().describe('The same as a sentence, with how it is known.'),
  nextTryAt: timeOrNull.describe(
    'When a waiting account is tried next; null for every other account, and while its source is paused. Never in the past: an attempt that is due has the time of this answer.',
  ),
  updatedAt: time,
});

export const mappingState = z.enum(['empty', 'in_sync', 'out_of_sync']);

export const storedFrom = z
  .enum(keysOf<CredentialOrigin>(credentialOrigins))
  .nullable()
  .describe(
    `How the stored credential came; null for none, and for one that an earlier release stored.\n${describeCodes(credentialOrigins)}`,
  );

export const changeMappingSchema = z.object({
  application: z.string(),
  source: z.string(),
  account: z.string(),
  state: mappingState,
  reason: z.string().nullable(),
  storedFrom,
});

export const changeSchema = z
  .object({
    id: z.string(),
    identity: z.string(),
    seq: z.int().describe('Grows with each change of this person.'),
    groups: z.array(z.string()),
    state: changeStateSchema,
    says: z
      .string()
      .describe(
        'What became of the change: what is verified, what is only accepted, what was left out and why, and of how many accounts it is unknown what they hold.',
      ),
    headline: z
      .enum(keysOf<HeadlineCode>(headlineSentences))
      .describe('The code of the first part of `says`.'),
    reason: errorCodeOrNull,
    reasonSays: z.string().nullable(),
    requestedBy: z.string().describe('The name of the API key.'),
    form: z
      .enum(forms)
      .describe(
        'The form in which the password was submitted. Anything other than `plaintext` is a hash, which no policy can check.',
      ),
    partial: z
      .boolean()
      .describe(
        'The change only updates the stored credential of the account in which the password was changed. It writes no account.',
      ),
    policy: z
      .enum(['judged', 'skipped'])
      .describe(
        '`judged`: the policies checked the password. `skipped`: the password was submitted as a hash.',
      ),
    capturedAt: timeOrNull.describe(
      'When the password was changed in the account whose reason is `origin`; null if the change was requested through the API.',
    ),
    createdAt: time,
    expiresAt: time,
    endedAt: timeOrNull,
    waitingFor: waitingForSchema,
    signInsPrevented: z
      .int()
      .describe(
        'Number of accounts that hold the new password and in which the person cannot sign in: see `signInPrevented` of each. The state of the change does not count them as a failure, because Lockstep neither unlocks nor enables accounts.',
      ),
    accounts: z.array(changeAccountSchema),
    mappings: z.array(changeMappingSchema),
    links: z.object({
      self: z.string(),
      events: z.string(),
      temporal: z.string().optional().describe('The workflow in the Temporal Web UI.'),
    }),
  })
  .meta({ id: 'Change' });

export const changeSummarySchema = z
  .object({
    id: z.string(),
    identity: z.string(),
    groups: z.array(z.string()),
    state: changeStateSchema,
    createdAt: time,
    endedAt: timeOrNull,
    accounts: z.int().describe('Number of accounts that the change covers.'),
    applied: z.int().describe('Number of those accounts that hold the new password.'),
    signInsPrevented: z
      .int()
      .describe('Number of accounts that hold it and in which the person cannot sign in.'),
    links: z.object({ self: z.string() }),
  })
  .meta({ id: 'ChangeSummary' });

export const changesPageSchema = z.object({
  changes: z.array(changeSummarySchema),
  next: z.string().nullable(),
});

export type ChangeAccount = z.output<typeof changeAccountSchema>;
export type ChangeMapping = z.output<typeof changeMappingSchema>;
export type Change = z.output<typeof changeSchema>;
export type ChangeSummary = z.output<typeof changeSummarySchema>;
export type ChangesPage = z.output<typeof changesPageSchema>;
