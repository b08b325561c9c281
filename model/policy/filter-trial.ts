import { withCodePoints } from '../passwords/code-points';
import { Secret } from '../passwords/secret';
import { type PasswordFilter, rewrite } from './password-filter';
import { limitsBroken, type SourcePolicy, targetLimits } from './target-limits';

/** What a filter makes of a sample. A sample is invented for this, and is never the password of a person. */
export interface FilteredSample {
  readonly sample: string;
  /** What the source gets; null if too little is left, so that it gets nothing. */
  readonly written: string | null;
  /** The limits of the source that the rewritten sample breaks, as sentences. */
  readonly broken: readonly string[];
}

/** Samples that show what filters do: cases, signs, umlauts, another script, a long and a short one. */
export const filterSamples: readonly string[] = [
  'Kayak-Velvet-72',
  'correct horse battery staple',
  'Grüße_aus_Köln!',
  'Ελλάδα 2026',
  'x7',
];

/** Rewrites samples by the function that rewrites passwords. */
export const tryFilter = (
  filter: PasswordFilter,
  samples: readonly string[],
  policies: readonly SourcePolicy[],
): FilteredSample[] =>
  samples.map((sample) => {
    const secret = Secret.fromText(sample);
    const rewritten = rewrite(filter, secret);
    secret.destroy();
    if (rewritten === null) return { sample, written: null, broken: [] };
    try {
      return withCodePoints(rewritten, (points) => ({
        sample,
        written: String.fromCodePoint(...points),
        broken: policies.flatMap((policy) =>
          limitsBroken(policy, points).map(
            (limit) => `${policy.name} ${targetLimits[limit].says(policy)}`,
          ),
        ),
      }));
    } finally {
      rewritten.destroy();
    }
  });
