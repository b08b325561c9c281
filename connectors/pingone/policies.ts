import { z } from 'zod';
import { asksNothing, type TargetPolicy } from '../../model/policy/target-policy';
import type { PoliciesAnswer } from '../contract';
import { nullIf } from '../http/answers';
import type { Api } from '../http/api';
import { json } from '../http/success';

const count = z.number().nullish();

/** The list of password policies. Source: PingOne Platform API, password policies. */
const policiesShape = z.looseObject({
  _embedded: z.looseObject({
    passwordPolicies: z.array(
      z.looseObject({
        name: z.string(),
        default: z.boolean().default(false),
        populationCount: count,
        length: z.looseObject({ min: count, max: count }).nullish(),
        /** Minimum number of characters, by the set of characters. */
        minCharacters: z.record(z.string(), z.number()).nullish(),
        maxRepeatedCharacters: count,
        history: z.looseObject({ count }).nullish(),
        minAgeDays: count,
      }),
    ),
  }),
});

type Policy = z.infer<typeof policiesShape>['_embedded']['passwordPolicies'][number];

/** Reads the password policies that bind some population. */
export async function readPolicies(
  api: Api,
  environment: string,
  signal: AbortSignal,
): Promise<PoliciesAnswer> {
  const path = `/environments/${environment}/passwordPolicies`;
  const request = api.ask({ method: 'GET', path, success: { 200: json(policiesShape) } }, signal);
  // The right to read policies is optional.
  const policies = (await nullIf('no_rights', request))?._embedded.passwordPolicies ?? [];
  return { result: 'policies', policies: policies.filter(binds).map(targetOf) };
}

/** Whether a population uses the policy. Every environment has three policies, and most of them are unused. */
const binds = (policy: Policy): boolean => policy.default || (policy.populationCount ?? 0) > 0;

const SECONDS_A_DAY = 86_400;

function targetOf(policy: Policy): TargetPolicy {
  const least = Object.entries(policy.minCharacters ?? {});
  const of = (sample: RegExp) => least.find(([characters]) => sample.test(characters))?.[1] ?? 0;
  return {
    ...asksNothing,
    name: policy.name,
    minLength: policy.length?.min ?? 0,
    maxLength: policy.length?.max ?? null,
    minUpper: of(/^[A-Z]+$/),
    minLower: of(/^[a-z]+$/),
    minNumeric: of(/^\d+$/),
    minSpecial: of(/^[^A-Za-z0-9]+$/),
    maxRepeatedChars: policy.maxRepeatedCharacters ?? 0,
    history: policy.history?.count ?? 0,
    minAgeSeconds: (policy.minAgeDays ?? 0) * SECONDS_A_DAY,
  };
}
