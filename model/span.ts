const units = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
  ['s', 1],
] as const;

/** A duration in its largest unit, rounded down: `42 s`, `3 min`, `2 h`, `5 d`. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const [unit, length] = units.find(([, unitSeconds]) => seconds >= unitSeconds) ?? ['s', 1];
  return `${Math.floor(seconds / length)} ${unit}`;
}
