import { z } from 'zod';
import { characterSet } from './characters';
import { dictionaryLimits } from './dictionary';
import { type PolicyRules, presetNames, presets } from './presets';

const count = (says: string) => z.int().min(0).max(1024).optional().describe(says);
const flag = (says: string) => z.boolean().optional().describe(says);
const file = z
  .string()
  .regex(/^(\/|[A-Za-z]:\\)/, 'give the absolute path of a file on the host of the api');

/** The schema of a set of characters, such as `A-Z0-9_.-`. */
export const characters = z
  .string()
  .max(256)
  .refine(
    (text) => characterSet(text) !== null,
    'write each range from its lower to its higher character',
  );

const { maxLines, maxLineLength } = dictionaryLimits;

/** A policy as the configuration states it: a preset, and the rules that differ from it. */
export const policyRulesSchema = z
  .strictObject({
    preset: z
      .enum(presetNames)
      .default('nist-63b-4')
      .describe('Supplies every rule that is not set here.'),
    minLength: count('Minimum number of code points.'),
    maxLength: count('Maximum number of code points.'),
    minAlpha: count('Minimum number of letters.'),
    minNonAlpha: count('Minimum number of characters that are not letters.'),
    minUpper: count('Minimum number of upper-case letters.'),
    minLower: count('Minimum number of lower-case letters.'),
    minNumeric: count('Minimum number of digits.'),
    minSpecial: count('Minimum number of characters that are neither letters nor digits.'),
    minCharacterTypes: z
      .int()
      .min(0)
      .max(5)
      .optional()
      .describe(
        'Minimum number of kinds of characters: upper-case letters, lower-case letters, letters without case, digits, others.',
      ),
    maxRepeatedChars: count(
      'Maximum number of times that a character is repeated in a row; 0 sets no limit.',
    ),
    allowed: characters
      .min(1)
      .optional()
      .describe('The only characters that are allowed, such as `A-Za-z0-9_.-`.'),
    notAllowed: characters.optional().describe('Characters that are not allowed, such as `:`.'),
    useIdentityAttributes: flag(
      'Refuses passwords that contain a word of the name or attributes of the person.',
    ),
    identityWordMinLength: count(
      'Minimum length of the words that useIdentityAttributes compares; 0 compares none.',
    ),
    validateAgainstAccountName: flag(
      'Refuses passwords that contain a word of the name of an account of the person (of a DN, of its first part).',
    ),
    accountNameMinWordLength: count(
      'Minimum length of the words that validateAgainstAccountName compares.',
    ),
    validateAgainstAccountId: flag(
      'Refuses passwords that contain a word of what identifies an account: the whole DN, and the id in the source.',
    ),
    accountIdMinWordLength: count(
      'Minimum length of the words that validateAgainstAccountId compares.',
    ),
    dictionary: z
      .union([file, z.array(z.string().trim().min(1).max(maxLineLength)).max(maxLines)])
      .optional()
      .describe(
        `Words that a password may not contain, in any case: a list, or a file below LOCKSTEP_POLICY_DIR of the api (at most ${maxLines} lines of ${maxLineLength} characters).`,
      ),
    notCommon: flag('Refuses the most used passwords.'),
    blocklist: file
      .optional()
      .describe(
        'A file below LOCKSTEP_POLICY_DIR of the api, made by `lockstep blocklist build`, with passwords that are refused.',
      ),
    minStrength: z
      .int()
      .min(0)
      .max(4)
      .optional()
      .describe(
        'Minimum strength, estimated by zxcvbn, from 1 to 4 (very hard to guess); 0 estimates none. An estimate that takes too long is skipped.',
      ),
  })
  .superRefine((settings, context) => {
    for (const [field, says] of contradictions(settings))
      context.addIssue({ code: 'custom', path: [field], message: says });
  });

export type PolicySettings = z.infer<typeof policyRulesSchema>;

/** The rules of a policy: those of its preset, with the settings that differ. */
export const rulesOf = ({ preset, ...overrides }: PolicySettings): PolicyRules => ({
  ...presets[preset],
  ...overrides,
});

/** Settings that no password could satisfy, or that lack what their preset requires, each with a sentence. */
function contradictions(settings: PolicySettings): [keyof PolicySettings, string][] {
  const rules = rulesOf(settings);
  const { maxLength, minAlpha, minUpper, minLower, minNonAlpha, minNumeric, minSpecial } = rules;
  const composed =
    Math.max(minAlpha, minUpper + minLower) + Math.max(minNonAlpha, minNumeric + minSpecial);
  return [
    ...(rules.minLength > maxLength
      ? [['minLength', `must not be larger than maxLength (${maxLength})`] as const]
      : []),
    ...(composed > maxLength
      ? [
          [
            'maxLength',
            `must be at least ${composed}, because the other rules require that many characters`,
          ] as const,
        ]
      : []),
    ...(settings.preset === 'asvs-l2' && rules.blocklist === null
      ? [
          [
            'preset',
            'requires a set of breached passwords (ASVS 6.2.12): set blocklist, see "lockstep blocklist build --help"',
          ] as const,
        ]
      : []),
  ].map(([field, says]) => [field, says]);
}
