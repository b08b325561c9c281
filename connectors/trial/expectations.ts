/** What a source did is not what it promised. The message is for its author, and holds no value. */
export class Unmet extends Error {}

/** The answer has these members, as far as a reader may see it. */
export function expectAnswer(
  answer: { readonly result: string },
  ...wanted: readonly Readonly<Record<string, unknown>>[]
): void {
  const seen: Readonly<Record<string, unknown>> = { ...answer };
  const fits = wanted.some((one) =>
    Object.entries(one).every(([name, value]) => seen[name] === value),
  );
  if (!fits) throw new Unmet(`it answered ${told(seen)}, not ${wanted.map(told).join(' or ')}`);
}

export function expectThat(isSo: boolean, says: string): void {
  if (!isSo) throw new Unmet(says);
}

/** Only what is from a closed list, or a code. */
const told = ({ result, reason, vendorCode }: Readonly<Record<string, unknown>>): string => {
  const more = [reason, vendorCode].filter((part) => typeof part === 'string');
  return more.length === 0 ? String(result) : `${result} (${more.join(', ')})`;
};
