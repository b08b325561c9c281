/** Returns all values of each attribute that has one. @param valuesAt returns the values of one attribute */
export const attributesAt = (
  names: readonly string[],
  valuesAt: (name: string) => readonly string[],
): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries(
    names.map((name) => [name, valuesAt(name)] as const).filter(([, values]) => values.length > 0),
  );
