import fc from 'fast-check';
import { withCodePoints } from '../../../model/passwords/code-points';
import { Secret } from '../../../model/passwords/secret';
import { brokenRules, nothingKnown } from '../../../model/policy/checks';
import { passwordFilterSchema, rewrite } from '../../../model/policy/password-filter';
import { type PolicyPicture, policyPicture } from '../../../model/policy/policy-picture';
import { rulesOf } from '../../../model/policy/schema';
import { limitsBroken } from '../../../model/policy/target-limits';
import { asksNothing, type Member } from '../../../model/policy/target-policy';

const everyone = { name: 'everyone', rules: rulesOf({ preset: 'nist-63b-4' }) };
const legacy = { name: 'legacy', rules: rulesOf({ preset: 'ad-legacy' }) };

const source = (name: string, limits: object, filter: Member['filter'] = null): Member => ({
  source: name,
  filter,
  policies: [{ ...asksNothing, name: 'default', ...limits }],
});

const rowOf = (picture: PolicyPicture, rule: string) =>
  picture.rows.find((row) => row.rule === rule);

describe('the picture of a policy', () => {
  test('names the strictest policy of each rule', () => {
    const members = [source('crm', { minLength: 20 }), source('wiki', { maxLength: 30 })];
    const picture = policyPicture(everyone, members);
    expect(rowOf(picture, 'minLength')?.bounds).toEqual([
      {
        source: null,
        policy: 'everyone',
        says: 'requires 15 characters or more',
        strictest: false,
      },
      { source: 'crm', policy: 'default', says: 'requires 20 characters or more', strictest: true },
    ]);
    expect(rowOf(picture, 'maxLength')?.bounds.map(({ strictest }) => strictest)).toEqual([
      false,
      true,
    ]);
  });

  test('shows an example that every policy accepts, and one for each rule that breaks it', () => {
    const limits = { minLength: 8, minUpper: 2, minNumeric: 1, minSpecial: 1, maxRepeatedChars: 2 };
    const picture = policyPicture(legacy, [source('crm', limits)]);
    expect(picture.passes).not.toBeNull();
    expect(picture.alone).toEqual([]);
    for (const { rule, fails } of picture.rows) {
      expect([rule, fails]).toEqual([rule, expect.any(String)]);
      expect([rule, brokenIn(legacy, [source('crm', limits)], fails ?? '')]).toEqual([
        rule,
        expect.arrayContaining([rule]),
      ]);
    }
  });

  test('shows an example for each policy alone, if no password satisfies all', () => {
    const picture = policyPicture(everyone, [source('mainframe', { maxLength: 8 })]);
    expect(picture.passes).toBeNull();
    expect(picture.alone.map(({ source: of, passes }) => [of, passes?.length])).toEqual([
      [null, 15],
      ['mainframe', 1],
    ]);
  });

  test('checks the limits of a source after its filter', () => {
    const filter = passwordFilterSchema.parse({ case: 'upper', allowed: 'A-Z0-9', maxLength: 8 });
    const picture = policyPicture(everyone, [source('mainframe', { maxLength: 8 }, filter)]);
    expect(picture.passes).toHaveLength(15);
  });

  test('demands what the filter of a source needs, also of a source that shows no policy', () => {
    const filter = passwordFilterSchema.parse({ allowed: 'A-Za-z0-9', minLength: 20 });
    const silent: Member = { source: 'mainframe', filter, policies: [] };
    const picture = policyPicture(everyone, [silent]);
    expect(picture.passes).toMatch(/^[A-Za-z0-9]{20,}$/);
    expect(rowOf(picture, 'minLength')?.bounds.at(-1)).toEqual({
      ...{ source: 'mainframe', policy: 'the filter' },
      ...{ says: 'requires 20 characters or more', strictest: true },
    });
    const withPolicy = policyPicture(everyone, [source('mainframe', { minLength: 16 }, filter)]);
    expect(withPolicy.passes).toMatch(/^[A-Za-z0-9]{20,}$/);
  });

  test('shows what each accepts alone, if a filter without a policy fits nothing else', () => {
    const filter = passwordFilterSchema.parse({ allowed: '0-9', minLength: 20 });
    const letters = source('wiki', { minAlpha: 1 });
    const picture = policyPicture(everyone, [{ source: 'pin', filter, policies: [] }, letters]);
    expect(picture.passes).toBeNull();
    expect(picture.alone.map(({ source: of }) => of)).toEqual([null, 'pin', 'wiki']);
  });

  test('has examples that are what they are shown as, whatever the policies', () => {
    const count = fc.integer({ min: 0, max: 6 });
    const limits = fc.record({
      minLength: fc.integer({ min: 0, max: 30 }),
      maxLength: fc.option(fc.integer({ min: 4, max: 60 })),
      minUpper: count,
      minNumeric: count,
      minSpecial: count,
      minCharacterTypes: fc.integer({ min: 0, max: 4 }),
      maxRepeatedChars: fc.integer({ min: 0, max: 3 }),
    });
    const policies = fc.constantFrom(everyone, legacy);
    const filters = fc.constantFrom(
      null,
      passwordFilterSchema.parse({ case: 'upper', allowed: 'A-Z0-9', maxLength: 8 }),
      passwordFilterSchema.parse({ allowed: 'A-Za-z0-9', minLength: 17 }),
    );
    fc.assert(
      fc.property(policies, limits, limits, filters, (policy, first, second, filter) => {
        const members = [source('crm', first, filter), source('wiki', second)];
        const { passes, rows } = policyPicture(policy, members);
        if (passes !== null) expect(brokenIn(policy, members, passes)).toEqual([]);
        for (const { rule, fails } of rows)
          if (fails !== null) expect(brokenIn(policy, members, fails)).toContain(rule);
      }),
      { numRuns: 50 },
    );
  });
});

/** The rules that a password breaks, by the functions that enforce them. */
function brokenIn(policy: typeof everyone, members: readonly Member[], text: string): string[] {
  const password = Secret.fromText(text);
  const known = {
    ...nothingKnown,
    identity: ['Maria Kowalski'],
    accountNames: ['mkowal73'],
    accountIds: ['4f1c2e77'],
  };
  const ofPolicy = withCodePoints(password, (points) => brokenRules(policy.rules, points, known));
  const ofSources = members.flatMap(({ filter, policies }) => {
    const left = filter === null ? password : rewrite(filter, password);
    if (left === null) return ['minLength' as const];
    return policies.flatMap((one) => withCodePoints(left, (points) => limitsBroken(one, points)));
  });
  return [...ofPolicy.map(({ rule }) => rule), ...ofSources];
}
