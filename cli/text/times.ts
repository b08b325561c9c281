import { span } from '../../model/span';

/** A time relative to now: `12 s ago`, `in 3 min`, or `never` for null. @param now epoch milliseconds */
export function relative(time: string | null, now: number): string {
  if (time === null) return 'never';
  const ms = Date.parse(time) - now;
  return ms > 0 ? `in ${span(ms)}` : `${span(-ms)} ago`;
}

const LENGTHS = { min: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** Converts a duration such as `30min`, `12h`, `90d` or `4w` to milliseconds; null for any other text. */
export function parseSpan(text: string): number | null {
  const [, count, unit] = /^([1-9]\d{0,4})(min|[hdw])$/.exec(text) ?? [];
  return count === undefined ? null : Number(count) * LENGTHS[unit as keyof typeof LENGTHS];
}
