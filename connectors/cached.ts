/** Keeps a value that is read for `ms` milliseconds. A failed read is repeated at the next use. */
export function cached<Argument, T>(
  ms: number,
  read: (argument: Argument) => Promise<T>,
): (argument: Argument) => Promise<T> {
  let kept: { readonly value: T; readonly until: number } | null = null;
  return async (argument) => {
    if (kept !== null && performance.now() < kept.until) return kept.value;
    const value = await read(argument);
    kept = { value, until: performance.now() + ms };
    return value;
  };
}
