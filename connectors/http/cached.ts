/** Keeps a value that is read for `ms` milliseconds. A failed read is repeated at the next use. */
export function cached<T>(
  ms: number,
  read: (signal: AbortSignal) => Promise<T>,
): (signal: AbortSignal) => Promise<T> {
  let kept: { readonly value: T; readonly until: number } | null = null;
  return async (signal) => {
    if (kept !== null && performance.now() < kept.until) return kept.value;
    const value = await read(signal);
    kept = { value, until: performance.now() + ms };
    return value;
  };
}
