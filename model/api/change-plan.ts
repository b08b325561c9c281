import { z } from 'zod';
import { failureModes, proveModes } from '../configuration/group';
import { forms } from '../hashes/encoding';
import { leaveOutReason } from './changes';

const sentences = z.array(z.string());

/** What a change would do, as the dry run returns it. */

export const plannedAccountSchema = z.object({
  label: z.string().describe('The label that the account would have in the change.'),
  source: z.string(),
  account: z
    .string()
    .nullable()
    .describe('Null if the correlation rules still have to find the account.'),
  role: z.enum(['auth', 'member']),
  turn: z
    .int()
    .nullable()
    .describe('Accounts with the same turn are changed in parallel; null if left out.'),
  reason: leaveOutReason.describe('The rule that leaves the account out.'),
  says: z.string(),
  prove: z.enum(proveModes),
  proof: z
    .enum(['login', 'hash', 'none'])
    .describe('How the connector can verify the new password in this source.'),
  form: z
    .enum(forms)
    .nullable()
    .describe('What the source receives: the password, or a hash that Lockstep computes from it.'),
  warnings: sentences.describe(
    'Why the source may refuse the password, or why the account would wait, as far as Lockstep knows it: from the state of the source, its last check, and the last change. No source is asked.',
  ),
  refusesPassword: z
    .boolean()
    .describe(
      'True if the source would refuse the password of the request, by the policies that its last check has shown, or by its filter.',
    ),
});

export const changePlanSchema = z
  .object({
    identity: z.string(),
    groups: z.array(
      z.object({
        name: z.string(),
        policy: z.string(),
        authSource: z.string(),
        failureMode: z.enum(failureModes),
        fits: z
          .string()
          .nullable()
          .describe(
            'The passwords that the policy and the known rules of the sources allow, in words; null if there is none.',
          ),
      }),
    ),
    accounts: z.array(plannedAccountSchema).describe('In the order of the change.'),
    warnings: sentences.describe('Why the whole change would be refused, whatever the password.'),
    violations: z
      .array(z.object({ rule: z.string(), says: z.string() }))
      .nullable()
      .describe(
        'The rules of all policies involved that the password breaks; null if the request has no password.',
      ),
  })
  .meta({ id: 'ChangePlan' });

export type PlannedAccount = z.output<typeof plannedAccountSchema>;
export type ChangePlan = z.output<typeof changePlanSchema>;
