import { z } from 'zod';
import { secretOf, withCodePoints } from '../passwords/code-points';
import type { Secret } from '../passwords/secret';
import { zeroableBytes } from '../passwords/zeroable';
import { type CharacterSet, characterSet } from './characters';
import type { PolicyRules } from './presets';
import { characters } from './schema';

/**
 * Rewrites a password for a source that cannot take it as it is, such as a mainframe that knows eight capitals (the
 * password filter of Microsoft Enterprise SSO). What is written, proved and stored as credential of that source is the
 * rewritten one.
 */
export const passwordFilterSchema = z
  .strictObject({
    case: z.enum(['upper', 'lower']).optional().describe('Every letter in this case.'),
    allowed: characters
      .min(1)
      .optional()
      .describe('Characters that the source takes, such as `A-Z0-9@#$`.'),
    replaceWith: z
      .string()
      .refine((text) => [...text].length === 1, 'give one character')
      .optional()
      .describe('Takes the place of every other character; without it, those are left out.'),
    maxLength: z
      .int()
      .min(1)
      .max(1024)
      .optional()
      .describe('Code points that the source takes; the rest is cut off.'),
    minLength: z
      .int()
      .min(1)
      .max(1024)
      .default(1)
      .describe(
        'When fewer are left, the source gets nothing, and the outcome is policy_too_short.',
      ),
  })
  .superRefine((filter, context) => {
    const { replaceWith, minLength, maxLength } = filter;
    const issue = (field: keyof PasswordFilter, message: string) =>
      context.addIssue({ code: 'custom', path: [field], message });
    if (replaceWith !== undefined && !leavesAlone(filter, replaceWith.codePointAt(0) ?? 0))
      issue('replaceWith', 'has to be a character that the filter lets through as it is');
    if (maxLength !== undefined && minLength > maxLength)
      issue('minLength', `asks for more than maxLength leaves (${maxLength})`);
  });

export type PasswordFilter = z.infer<typeof passwordFilterSchema>;

/**
 * The same again for what it has rewritten, so that a repeat writes the same value.
 * @returns a Secret of its own, to be destroyed on its own; null when fewer than minLength code points are left
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

/** A letter becomes three at most in another case (SpecialCasing.txt). */
const GROWTH = 3;

/** What becomes of one code point. */
export function imagesOf({ case: wanted, allowed, replaceWith }: PasswordFilter) {
  const set = allowed === undefined ? null : characterSet(allowed);
  const instead = replaceWith === undefined ? [] : [replaceWith.codePointAt(0) ?? 0];
  return (point: number): number[] =>
    inCase(point, wanted).flatMap((written) => (takes(set, written) ? [written] : instead));
}

const takes = (set: CharacterSet | null, point: number): boolean => set === null || set.has(point);

function inCase(point: number, wanted: PasswordFilter['case']): number[] {
  if (wanted === undefined) return [point];
  const letter = String.fromCodePoint(point);
  const written = wanted === 'upper' ? letter.toUpperCase() : letter.toLowerCase();
  return [...written].map((one) => one.codePointAt(0) ?? 0);
}

function leavesAlone(filter: PasswordFilter, point: number): boolean {
  const images = imagesOf({ ...filter, replaceWith: undefined })(point);
  return images.length === 1 && images[0] === point;
}

/** Printable ASCII: what generators of passwords choose from. */
export const PRINTABLE: readonly number[] = Array.from({ length: 95 }, (_, index) => 0x20 + index);

/**
 * A warning when the source holds a weaker password than the policy asks for: what is left of the shortest random one.
 * @returns null when nothing is lost
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
    ? `The filter weakens passwords: of about ${before} bits of ${minLength} random characters, ${after} are left.`
    : null;
}

/** Of one character that is drawn from these. */
function bitsOf(drawn: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const point of drawn) counts.set(point, (counts.get(point) ?? 0) + 1);
  return [...counts.values()]
    .map((count) => count / drawn.length)
    .reduce((bits, share) => bits - share * Math.log2(share), 0);
}
