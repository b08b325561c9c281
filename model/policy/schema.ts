import { z } from 'zod';
import { characterSet } from './characters';
import { dictionaryLimits } from './dictionary';
import { type PolicyRules, presetNames, presets } from './presets';

const count = (says: string) => z.int().min(0).max(1024).optional().describe(says);
const flag = (says: string) => z.boolean().optional().describe(says);
const file = z.string().regex(/^(\/|[A-Za-z]:\\)/, 'give the whole path of a file of the api');

/** Such as `A-Z0-9_.-`. */
export const characters = z
  .string()
  .max(256)
  .refine((text) => characterSet(text) !== null, 'write each range from its first character on');

const { maxLines, maxLineLength } = dictionaryLimits;

/** A policy as the configuration says it: a preset, and what differs from it. */
export const policyRulesSchema = z
  .strictObject({
    preset: z
      .enum(presetNames)
      .default('nist-63b-4')
      .describe('Gives every rule that is not said here.'),
    minLength: count('Code points at least.'),
    maxLength: count('Code points at most.'),
    minAlpha: count('Letters at least.'),
    minNonAlpha: count('Characters that are not letters, at least.'),
    minUpper: count('Upper-case letters at least.'),
    minLower: count('Lower-case letters at least.'),
    minNumeric: count('Digits at least.'),
    minSpecial: count('Characters that are neither letters nor digits, at least.'),
    minCharacterTypes: z
      .int()
      .min(0)
      .max(5)
      .optional()
      .describe(
        'How many of these kinds at least: upper-case letters, lower-case letters, letters without case, digits, others.',
      ),
    maxRepeatedChars: count('The same character in a row at most; 0 sets no limit.'),
    allowed: characters
      .min(1)
      .optional()
      .describe('Only these characters, such as `A-Za-z0-9_.-`.'),
    notAllowed: characters.optional().describe('None of these characters, such as `:`.'),
    useIdentityAttributes: flag(
      'Words of the name and attributes of the person may not be part of the password.',
    ),
    identityWordMinLength: count('Of these only words of so many letters; 0 looks at none.'),
    validateAgainstAccountName: flag(
      'Words of the names of their accounts, of a DN those of its first part, may not be part of the password.',
    ),
    accountNameMinWordLength: count('Of these only words of so many letters.'),
    validateAgainstAccountId: flag(
      'Nor may words of all that identifies an account: the whole DN, and the id that the source gave.',
    ),
    accountIdMinWordLength: count('Of these only words of so many letters.'),
    dictionary: z
      .union([file, z.array(z.string().trim().min(1).max(maxLineLength)).max(maxLines)])
      .optional()
      .describe(
        `Words that may not be part of the password, in any case: a list, or a file of the api (at most ${maxLines} lines of ${maxLineLength} characters).`,
      ),
    notCommon: flag('It may not be one of the most used passwords.'),
    blocklist: file
      .optional()
      .describe(
        'The password may not be in this file of the api, which `lockstep blocklist build` makes.',
      ),
    minStrength: z
      .int()
      .min(0)
      .max(4)
      .optional()
      .describe(
        'How hard to guess, estimated by zxcvbn: 4 is very hard; 0 does not ask. An estimate that takes too long is left out.',
      ),
  })
  .superRefine((settings, context) => {
    for (const [field, says] of contradictions(settings))
      context.addIssue({ code: 'custom', path: [field], message: says });
  });

export type PolicySettings = z.infer<typeof policyRulesSchema>;

export const rulesOf = ({ preset, ...said }: PolicySettings): PolicyRules => ({
  ...presets[preset],
  ...said,
});

/** What no password could satisfy, or what does not keep what its name says. */
function contradictions(settings: PolicySettings): [keyof PolicySettings, string][] {
  const rules = rulesOf(settings);
  const { maxLength, minAlpha, minUpper, minLower, minNonAlpha, minNumeric, minSpecial } = rules;
  const composed =
    Math.max(minAlpha, minUpper + minLower) + Math.max(minNonAlpha, minNumeric + minSpecial);
  return [
    ...(rules.minLength > maxLength
      ? [['minLength', `asks for more characters than maxLength allows (${maxLength})`] as const]
      : []),
    ...(composed > maxLength
      ? [
          [
            'maxLength',
            `is less than the characters that other rules ask for (${composed})`,
          ] as const,
        ]
      : []),
    ...(settings.preset === 'asvs-l2' && rules.blocklist === null
      ? [
          [
            'preset',
            'asks for a set of breached passwords (ASVS 6.2.12): name one as blocklist, see "lockstep blocklist build --help"',
          ] as const,
        ]
      : []),
  ].map(([field, says]) => [field, says]);
}
