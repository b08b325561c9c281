/** A promise of the contract was not kept. The message is for the author of the connector and contains no value. */
export class Unmet extends Error {}

/** A case cannot be run. The message says why. */
export class Skipped extends Error {}

/** Throws `Unmet` unless the answer has all members of one of `wanted`. */
export function expectAnswer(
  answer: { readonly result: string },
  ...wanted: readonly Readonly<Record<string, unknown>>[]
): void {
  const members: Readonly<Record<string, unknown>> = { ...answer };
  const fits = wanted.some((alternative) =>
    Object.entries(alternative).every(([name, value]) => members[name] === value),
  );
  if (!fits)
    throw new Unmet(`it answered ${describe(members)}, not ${wanted.map(describe).join(' or ')}`);
}

/** Throws `Unmet` with the message unless the condition is true. */
export function expectThat(condition: boolean, message: string): void {
  if (!condition) throw new Unmet(message);
}

/** Describes an answer by its result, reason and code only, because other members may contain values of the source. */
const describe = ({ result, reason, vendorCode }: Readonly<Record<string, unknown>>): string => {
  const more = [reason, vendorCode].filter((part) => typeof part === 'string');
  return more.length === 0 ? String(result) : `${result} (${more.join(', ')})`;
};
