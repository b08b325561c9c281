import { z } from 'zod';
import { keysOf } from '../../model/api/fields';
import { reportedOffline, reportedRejections } from '../../model/change/reported-reasons';
import { type SignInObstacle, signInObstacles } from '../../model/change/sign-in-prevented';
import { asksNothing } from '../../model/policy/target-policy';
import {
  accountProblems,
  type FindAnswer,
  type Finding,
  type ListAnswer,
  type PoliciesAnswer,
  type SourceFailure,
  type StateAnswer,
  type VerifyAnswer,
  type WriteAnswer,
} from '../contract';

/**
 * The answers of `../contract.ts` in JSON, as a program of a customer returns them. The schemas are strict: any other
 * value counts as no answer. The JSON schema for authors (docs/your-own-connector.md) is generated from them.
 */

/** Text without control characters, which PostgreSQL or a terminal cannot handle, and without lone surrogates. */
const text = (length: number) =>
  z
    .string()
    .max(length)
    .regex(/^[^\p{Cc}\p{Cs}]*$/u);
const name = text(1024).min(1);

/** An id, as text or as a whole number. */
const nativeId = z.union([name, z.int().transform(String)]);

/** An account as the target names it now. */
const account = z.strictObject({ name, nativeId: nativeId.nullable() });

const vendorCode = z
  .string()
  .regex(/^[\w.:-]{1,64}$/)
  .nullable()
  .default(null)
  // It is only informative, so a malformed code is dropped and the answer is still valid.
  .catch(null)
  .describe('Code of the target, never its text. Null if there is none.');
const retryAfterMs = z.int().min(0).max(86_400_000).optional();

const failed = z.strictObject({
  result: z.literal('failed'),
  reason: z.enum([...reportedOffline, 'unknown', 'no_rights', 'not_supported', ...accountProblems]),
  vendorCode,
  retryAfterMs,
});

/** All values of an attribute. A text is an attribute with this value alone. */
const values = z.union([text(4096), z.array(text(4096))]).transform((value) => [value].flat());

const listed = account.extend({ attributes: z.record(name, values) });
const accounts = z.array(listed);

const setPassword = z.discriminatedUnion('result', [
  z.strictObject({ result: z.enum(['applied', 'already_current']), account: account.optional() }),
  z.strictObject({ result: z.literal('rejected'), reason: z.enum(reportedRejections), vendorCode }),
  z.strictObject({
    result: z.literal('retry'),
    reason: z.enum([...reportedOffline, 'unknown']),
    vendorCode,
    retryAfterMs,
  }),
  z.strictObject({ result: z.literal('ambiguous'), vendorCode }),
]);

const verify = z.discriminatedUnion('result', [
  z.strictObject({
    result: z.literal('holds'),
    proof: z.enum(['login', 'hash']),
    signInPrevented: z.enum(keysOf<SignInObstacle>(signInObstacles)).optional(),
  }),
  z.strictObject({ result: z.literal('differs'), vendorCode }),
  z.strictObject({
    result: z.literal('inconclusive'),
    reason: z.enum([
      ...reportedOffline,
      ...(['unknown', 'account_disabled', 'no_rights', 'not_supported'] as const),
      ...accountProblems,
    ]),
    vendorCode,
  }),
]);

const find = z.discriminatedUnion('result', [
  z.strictObject({ result: z.literal('found'), accounts }),
  failed,
]);

const list = z.discriminatedUnion('result', [
  z.strictObject({ result: z.literal('page'), accounts, cursor: name.nullable() }),
  failed,
]);

const state = z.discriminatedUnion('result', [
  z.strictObject({
    result: z.literal('state'),
    account,
    disabled: z.boolean(),
    locked: z.boolean(),
    mustChange: z.boolean(),
    passwordChangedAt: z.iso
      .datetime({ offset: true })
      .transform((moment) => new Date(moment))
      .nullable(),
  }),
  failed,
]);

const count = z.int().min(0).default(0);
const policies = z.discriminatedUnion('result', [
  z.strictObject({
    result: z.literal('policies'),
    policies: z.array(
      z.strictObject({
        name,
        countsBytes: z.boolean().default(asksNothing.countsBytes),
        minLength: count,
        maxLength: z.int().min(0).nullable().default(asksNothing.maxLength),
        minAlpha: count,
        minUpper: count,
        minLower: count,
        minNumeric: count,
        minSpecial: count,
        minCharacterTypes: count,
        maxRepeatedChars: count,
        history: count,
        minAgeSeconds: count,
      }),
    ),
  }),
  failed,
]);

const findings = z.array(
  z.strictObject({
    check: z.string().regex(/^[a-z][a-z0-9-]{0,39}$/),
    verdict: z.enum(['ok', 'warning', 'wrong', 'skipped']),
    says: text(500).min(1),
  }),
);

const check = z.discriminatedUnion('result', [
  z.strictObject({ result: z.literal('findings'), findings }),
  failed,
]);

export type CheckAnswer =
  | { readonly result: 'findings'; readonly findings: readonly Finding[] }
  | SourceFailure;

/** The answer types by operation. */
export interface Answers {
  readonly setPassword: WriteAnswer;
  readonly verify: VerifyAnswer;
  readonly find: FindAnswer;
  readonly list: ListAnswer;
  readonly state: StateAnswer;
  readonly policies: PoliciesAnswer;
  readonly check: CheckAnswer;
}

export type Operation = keyof Answers;

/** The schema of each answer, for the authors of connectors. `readAnswer` reads an answer. */
export const answers: { readonly [O in Operation]: z.ZodType<Answers[O]> } = {
  setPassword,
  verify,
  find,
  list,
  state,
  policies,
  check,
};

/** Reads an answer. Null if it does not match the contract. */
export function readAnswer<O extends Operation>(operation: O, answer: unknown): Answers[O] | null {
  const schema = answers[operation] as z.ZodType<Answers[O]>;
  if (operation !== 'list') return schema.safeParse(answer).data ?? null;
  const page = z.looseObject({ accounts: z.array(z.unknown()) }).safeParse(answer).data;
  if (page === undefined) return schema.safeParse(answer).data ?? null;
  const isReadable = (one: unknown) => listed.safeParse(one).success;
  const read = schema.safeParse({ ...page, accounts: page.accounts.filter(isReadable) }).data;
  const malformed = page.accounts.flatMap((one, index) =>
    isReadable(one) ? [] : [labelOf(one, index)],
  );
  return read === undefined ? null : { ...read, ...(malformed.length > 0 && { malformed }) };
}

/** Names an account of a page that cannot be read: by its name or native id, or else by its position. */
function labelOf(one: unknown, index: number): string {
  const { name: named, nativeId } = (one ?? {}) as Readonly<Record<string, unknown>>;
  return (
    [named, nativeId].map((label) => name.safeParse(label).data).find(Boolean) ?? `#${index + 1}`
  );
}
