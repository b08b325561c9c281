const units = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
  ['s', 1],
] as const;

/** `42 s`, `3 min`, `2 h`, `5 d`: the largest unit of which there is one. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const [unit, length] = units.find(([, one]) => seconds >= one) ?? ['s', 1];
  return `${Math.floor(seconds / length)} ${unit}`;
}

/** `12 s ago`, `in 3 min`, `never` */
export function relative(time: string | null, now: number): string {
  if (time === null) return 'never';
  const ms = Date.parse(time) - now;
  return ms > 0 ? `in ${span(ms)}` : `${span(-ms)} ago`;
}

const LENGTHS = { h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** `90d`, `12h`, `4w` in milliseconds; null for anything else. */
export function parseSpan(text: string): number | null {
  const [, count, unit] = /^([1-9]\d{0,4})([hdw])$/.exec(text) ?? [];
  return count === undefined ? null : Number(count) * LENGTHS[unit as keyof typeof LENGTHS];
}
