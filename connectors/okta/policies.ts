import { z } from 'zod';
import { asksNothing, type TargetPolicy } from '../../model/policy/target-policy';
import type { PoliciesAnswer } from '../contract';
import { nullIf } from '../http/answers';
import type { Api } from '../http/api';
import { json } from '../http/success';

const count = z.number().nullish();

/** The list of password policies. Source: Okta Management API, PasswordPolicy. */
const policiesShape = z.array(
  z.looseObject({
    name: z.string(),
    status: z.string(),
    conditions: z
      .looseObject({ authProvider: z.looseObject({ provider: z.string().nullish() }).nullish() })
      .nullish(),
    settings: z.looseObject({
      password: z.looseObject({
        complexity: z
          .looseObject({
            minLength: count,
            minLowerCase: count,
            minUpperCase: count,
            minNumber: count,
            minSymbol: count,
          })
          .nullish(),
        age: z.looseObject({ minAgeMinutes: count, historyCount: count }).nullish(),
      }),
    }),
  }),
);

type Policy = z.infer<typeof policiesShape>[number];

/** Reads the password policies. @param strict whether Okta applies history and minimum age to writes by Lockstep */
export async function readPolicies(
  api: Api,
  strict: boolean,
  signal: AbortSignal,
): Promise<PoliciesAnswer> {
  const path = '/api/v1/policies?type=PASSWORD';
  const request = api.ask({ method: 'GET', path, success: { 200: json(policiesShape) } }, signal);
  // The right to read policies is optional.
  const policies = (await nullIf('no_rights', request)) ?? [];
  return {
    result: 'policies',
    policies: policies.filter(binds).map((policy) => targetOf(policy, strict)),
  };
}

/** Whether a policy binds users whose password is in Okta. Those of directories do not. */
const binds = ({ status, conditions }: Policy): boolean =>
  status === 'ACTIVE' && (conditions?.authProvider?.provider ?? 'OKTA') === 'OKTA';

function targetOf({ name, settings }: Policy, strict: boolean): TargetPolicy {
  const { complexity, age } = settings.password;
  return {
    ...asksNothing,
    name,
    minLength: complexity?.minLength ?? 0,
    minLower: complexity?.minLowerCase ?? 0,
    minUpper: complexity?.minUpperCase ?? 0,
    minNumeric: complexity?.minNumber ?? 0,
    minSpecial: complexity?.minSymbol ?? 0,
    history: strict ? (age?.historyCount ?? 0) : 0,
    minAgeSeconds: strict ? (age?.minAgeMinutes ?? 0) * 60 : 0,
  };
}
