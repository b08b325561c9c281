import { Secret } from '../../../model/passwords/secret';
import { type Known, nothingKnown } from '../../../model/policy/checks';
import { type PresetName, presetNames } from '../../../model/policy/presets';
import { policyRulesSchema, rulesOf } from '../../../model/policy/schema';
import { violations } from '../../../model/policy/violations';

/** The verdict of each preset on one password, as docs/configuration.md shows it. */

const about: Partial<Known> = { identity: ['alice', 'Alice Neill'], accountNames: ['aneill'] };

interface Row {
  readonly password: string;
  readonly known?: Partial<Known>;
  /** The rules of each preset that refuse the password. */
  readonly refused: Readonly<Partial<Record<PresetName, readonly string[]>>>;
}

const length = ['minLength'];

const rows: readonly (Row & { readonly title: string })[] = [
  {
    title: '15 code points, all of one kind',
    password: 'ubfqkwmxjzrtvld',
    refused: { cis: ['minNonAlpha'], 'ad-legacy': ['minCharacterTypes'] },
  },
  {
    title: '14 code points of one kind',
    password: 'ubfqkwmxjzrtvl',
    refused: { 'nist-63b-4': length, cis: ['minNonAlpha'], 'ad-legacy': ['minCharacterTypes'] },
  },
  {
    title: '14, one of them a digit',
    password: 'ubfqkwmxjzrtv7',
    refused: { 'nist-63b-4': length, 'ad-legacy': ['minCharacterTypes'] },
  },
  {
    title: '13, one of them a digit',
    password: 'ubfqkwmxjzrt7',
    refused: { 'nist-63b-4': length, cis: length, 'ad-legacy': ['minCharacterTypes'] },
  },
  {
    title: '8 of four kinds',
    password: 'Xq7!mzwk',
    refused: { 'nist-63b-4': length, cis: length },
  },
  {
    title: '7 of four kinds',
    password: 'Xq7!mzw',
    refused: { 'nist-63b-4': length, 'asvs-l2': length, cis: length },
  },
  {
    title: '6 of four kinds',
    password: 'Xq7!mz',
    refused: { 'nist-63b-4': length, 'asvs-l2': length, cis: length, 'ad-legacy': length },
  },
  { title: 'three of five kinds of characters', password: 'ubfqkwmxjzrtvl-7', refused: {} },
  { title: '64 code points', password: 'Ub7-'.repeat(16), refused: {} },
  {
    title: '128 code points',
    password: 'Ub7-'.repeat(32),
    refused: { 'ad-legacy': ['maxLength'] },
  },
  {
    title: '15 emoji',
    password: '🔑'.repeat(14).concat('🗝'),
    refused: { 'ad-legacy': ['minCharacterTypes'] },
  },
  { title: 'spaces', password: 'nine lives of 1 Cat', refused: {} },
  { title: 'words that are in every dictionary', password: 'Dragon-password-9', refused: {} },
  {
    title: 'one of the most used',
    password: 'Password123456789',
    refused: {
      'nist-63b-4': ['notCommon'],
      'asvs-l2': ['notCommon'],
      cis: ['notCommon'],
    },
  },
  {
    title: 'one that has leaked',
    password: 'Welcome-to-Calevate-1',
    known: { blocklisted: true },
    refused: {
      'nist-63b-4': ['blocklist'],
      'asvs-l2': ['blocklist'],
      cis: ['blocklist'],
      'ad-legacy': ['blocklist'],
    },
  },
  {
    title: 'the name of the person is in it',
    password: 'the-house-of-NEILL-1',
    refused: {
      'nist-63b-4': ['identityWordMinLength'],
      'asvs-l2': ['identityWordMinLength'],
      'ad-legacy': ['identityWordMinLength'],
    },
  },
  {
    title: 'the name of the account is in it',
    password: 'the-house-of-ANeill-1',
    known: { ...about, identity: [] },
    refused: {
      'asvs-l2': ['validateAgainstAccountName'],
      'ad-legacy': ['validateAgainstAccountName'],
    },
  },
  {
    title: 'three letters of a name are in it',
    password: 'the-house-of-Kim-1',
    known: { identity: ['Kim'] },
    refused: { 'ad-legacy': ['identityWordMinLength'] },
  },
  { title: 'a colon', password: 'why: because 1 Cat', refused: {} },
  {
    title: 'mostly the same character',
    password: 'Xq7!mzwkAAAAAAAAAAAA',
    refused: {},
  },
];

const settings = (preset: PresetName) =>
  rulesOf(
    policyRulesSchema.parse({ preset, ...(preset === 'asvs-l2' ? { blocklist: '/leaked' } : {}) }),
  );

describe.each(presetNames)('%s', (preset) => {
  test.each(rows.map((row) => [row.title, row] as const))(
    `the preset ${preset} on a password with: %s`,
    (_title, row) => {
      const known = { ...nothingKnown, ...(row.known ?? about) };
      const broken = violations(settings(preset), Secret.fromText(row.password), known);
      expect(broken.map(({ rule }) => rule)).toEqual(row.refused[preset] ?? []);
    },
  );
});

test('a policy that names no preset has the rules of nist-63b-4', () => {
  expect(rulesOf(policyRulesSchema.parse({}))).toEqual(settings('nist-63b-4'));
});
