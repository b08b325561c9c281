import { z } from 'zod';
import { secretOf, withCodePoints } from '../passwords/code-points';
import type { Secret } from '../passwords/secret';
import { zeroableBytes } from '../passwords/zeroable';
import { type CharacterSet, characterSet } from './characters';
import type { PolicyRules } from './presets';
import { characters } from './schema';

/**
 * The password filter of a source that cannot accept every password, such as a mainframe that allows eight capitals
 * (the password filter of Microsoft Enterprise SSO). The rewritten password is written to the source, verified there
 * and stored as the credential of its mappings.
 */
export const passwordFilterSchema = z
  .strictObject({
    case: z.enum(['upper', 'lower']).optional().describe('Converts every letter to this case.'),
    allowed: characters
      .min(1)
      .optional()
      .describe('The characters that the source accepts, such as `A-Z0-9@#$`.'),
    replaceWith: z
      .string()
      .refine((text) => [...text].length === 1, 'give one character')
      .optional()
      .describe('Replaces every other character; without it, those are removed.'),
    maxLength: z
      .int()
      .min(1)
      .max(1024)
      .optional()
      .describe('Maximum number of code points; the rest is cut off.'),
    minLength: z
      .int()
      .min(1)
      .max(1024)
      .default(1)
      .describe(
        'Minimum number of code points. When fewer are left, the source gets nothing and the outcome is policy_too_short.',
      ),
  })
  .superRefine((filter, context) => {
    const { replaceWith, minLength, maxLength } = filter;
    const issue = (field: keyof PasswordFilter, message: string) =>
      context.addIssue({ code: 'custom', path: [field], message });
    if (replaceWith !== undefined && !leavesAlone(filter, replaceWith.codePointAt(0) ?? 0))
      issue('replaceWith', 'must be a character that the filter leaves unchanged');
    if (maxLength !== undefined && minLength > maxLength)
      issue('minLength', `must not be larger than maxLength (${maxLength})`);
  });

export type PasswordFilter = z.infer<typeof passwordFilterSchema>;

/**
 * Rewrites a password. Rewriting the result again changes nothing, so a repeated write carries the same value.
 * @returns a new Secret, which the caller destroys; null when fewer than minLength code points are left
 */
export function rewrite(filter: PasswordFilter, password: Secret): Secret | null {
  return withCodePoints(password, (points) => {
    const kept = new Uint32Array(zeroableBytes(4 * GROWTH * points.length).buffer);
    try {
      const most = filter.maxLength ?? Number.POSITIVE_INFINITY;
      const image = imagesOf(filter);
      let length = 0;
      for (const point of points)
        for (const written of image(point)) if (length < most) kept[length++] = written;
      return length < filter.minLength ? null : secretOf(kept.subarray(0, length));
    } finally {
      kept.fill(0);
    }
  });
}

/** One letter becomes at most three in another case (SpecialCasing.txt). */
const GROWTH = 3;

/** Returns the function that maps one code point to the code points which the filter writes instead. */
export function imagesOf({ case: wanted, allowed, replaceWith }: PasswordFilter) {
  const set = allowed === undefined ? null : characterSet(allowed);
  const instead = replaceWith === undefined ? [] : [replaceWith.codePointAt(0) ?? 0];
  return (point: number): number[] =>
    inCase(point, wanted).flatMap((written) => (permits(set, written) ? [written] : instead));
}

const permits = (set: CharacterSet | null, point: number): boolean =>
  set === null || set.has(point);

function inCase(point: number, wanted: PasswordFilter['case']): number[] {
  if (wanted === undefined) return [point];
  const letter = String.fromCodePoint(point);
  const written = wanted === 'upper' ? letter.toUpperCase() : letter.toLowerCase();
  return [...written].map((character) => character.codePointAt(0) ?? 0);
}

function leavesAlone(filter: PasswordFilter, point: number): boolean {
  const images = imagesOf({ ...filter, replaceWith: undefined })(point);
  return images.length === 1 && images[0] === point;
}

/** The code points of printable ASCII, from which password generators choose. */
export const PRINTABLE: readonly number[] = Array.from({ length: 95 }, (_, index) => 0x20 + index);

/**
 * A warning when the filter leaves a weaker password than the policy requires. It compares the bits of the shortest
 * random password before and after the filter.
 * @returns null when the filter loses nothing
 */
export function weakens(filter: PasswordFilter, rules: PolicyRules): string | null {
  const { minLength } = rules;
  const before = Math.floor(minLength * Math.log2(PRINTABLE.length));
  const written = PRINTABLE.flatMap((point) => imagesOf(filter)(point));
  const length = Math.min(
    (minLength * written.length) / PRINTABLE.length,
    filter.maxLength ?? Number.POSITIVE_INFINITY,
  );
  const after = Math.floor(length * bitsOf(written));
  return after < before
    ? `The filter weakens passwords: of about ${before} bits of ${minLength} random characters, ${after} are left. Allow more characters, or a larger maxLength, if the source accepts them.`
    : null;
}

/**
 * A warning when the filter may leave one character of a password. A filter that replaces characters, or has a minLength,
 * does not.
 */
export function leavesTooLittle({
  allowed,
  replaceWith,
  minLength,
}: PasswordFilter): string | null {
  return allowed !== undefined && replaceWith === undefined && minLength === 1
    ? 'The filter removes characters and has no minLength, so it may leave a single one. Set minLength to the length of the shortest password that the source accepts.'
    : null;
}

/** What the filter does to a password, in words; null if it does nothing. */
export function filterSays({
  case: wanted,
  allowed,
  replaceWith,
  maxLength,
}: PasswordFilter): string | null {
  const parts = [
    ...(wanted === undefined ? [] : [`${wanted} case`]),
    ...(allowed === undefined ? [] : [`only ${allowed}`]),
    ...(replaceWith === undefined ? [] : [`"${replaceWith}" instead of other characters`]),
    ...(maxLength === undefined ? [] : [`the first ${maxLength} characters`]),
  ];
  return parts.length === 0 ? null : parts.join(', ');
}

/** The entropy, in bits, of one character drawn from these. */
function bitsOf(drawn: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const point of drawn) counts.set(point, (counts.get(point) ?? 0) + 1);
  return [...counts.values()]
    .map((count) => count / drawn.length)
    .reduce((bits, share) => bits - share * Math.log2(share), 0);
}
