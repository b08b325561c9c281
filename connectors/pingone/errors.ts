import { z } from 'zod';
import type { Classify, Verdict } from '../http/answers';

/** An error reply. Source: PingOne Platform API, error codes. */
const errorShape = z.looseObject({
  code: z.string(),
  details: z
    .array(
      z.looseObject({
        code: z.string().nullish(),
        target: z.string().nullish(),
        innerError: z
          .looseObject({ unsatisfiedRequirements: z.array(z.string()).default([]) })
          .nullish(),
      }),
    )
    .default([]),
});

/** Meanings of the top-level codes. No other part of an error is passed on. */
const codes: Readonly<Record<string, Verdict['reason']>> = {
  ACCESS_FAILED: 'no_rights',
  INVALID_DATA: 'unknown',
  INVALID_REQUEST: 'not_supported',
  NOT_FOUND: 'no_account',
  REQUEST_FAILED: 'unknown',
  REQUEST_LIMITED: 'throttled',
};

/** Meanings of the rules of a password policy, by their names in PingOne. */
const requirements: Readonly<Record<string, Verdict['reason']>> = {
  excludesCommonlyUsed: 'policy_quality',
  excludesProfileData: 'policy_quality',
  history: 'policy_history',
  maxRepeatedCharacters: 'policy_quality',
  minAgeDays: 'policy_too_young',
  minCharacters: 'policy_quality',
  minComplexity: 'policy_quality',
  minUniqueCharacters: 'policy_quality',
  notSimilarToCurrent: 'policy_history',
};

/** Names by which an error refers to the password in the request: `value` in a write, `password` in a check. */
const PASSWORD = ['password', 'value'];

/** Translates an error of PingOne. */
export const classify: Classify = ({ status, json }) => {
  const error = errorShape.safeParse(json).data;
  if (error === undefined) return null;
  const match = Object.entries(codes).find(([code]) => code === error.code);
  if (match === undefined) return 'other';
  const [vendorCode, reason] = match;
  if (status === 401) return { reason: 'service_credential_refused', vendorCode };
  const aboutPassword = error.details.filter(({ target }) => PASSWORD.includes(target ?? ''));
  if (vendorCode !== 'INVALID_DATA' || aboutPassword.length === 0) return { reason, vendorCode };
  const broken = aboutPassword.flatMap(
    ({ innerError }) => innerError?.unsatisfiedRequirements ?? [],
  );
  return { reason: requirements[broken[0] ?? ''] ?? 'policy', vendorCode };
};

export const WRONG_PASSWORD = 'INVALID_VALUE';

/** Whether a refused check of a password means that the user has another one. */
export const isWrongPassword = (json: unknown): boolean =>
  errorShape
    .safeParse(json)
    .data?.details.some(({ code, target }) => code === WRONG_PASSWORD && target === 'password') ??
  false;
