/** A person as a line of a file describes them. */
export interface PersonRow {
  /** Counted from 1. */
  readonly line: number;
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly accounts: readonly { readonly source: string; readonly name: string }[];
}

/** A person of the file, and the lines that describe them. */
export interface FilePerson extends Omit<PersonRow, 'line'> {
  readonly lines: readonly number[];
}

export interface FileConflict {
  readonly name: string;
  readonly lines: readonly number[];
  readonly says: string;
}

/**
 * Brings the rows of each person together. People whose rows contradict each other, or who share an account with another
 * person of the file, are conflicts: it is not guessed which row is right.
 */
export function peopleOf(rows: readonly PersonRow[]): {
  readonly people: readonly FilePerson[];
  readonly conflicts: readonly FileConflict[];
} {
  const byName = new Map<string, PersonRow[]>();
  for (const row of rows) byName.set(row.name, [...(byName.get(row.name) ?? []), row]);
  const owners = new Map<string, Set<string>>();
  for (const { name, accounts } of rows)
    for (const account of accounts)
      owners.set(keyOf(account), (owners.get(keyOf(account)) ?? new Set()).add(name));
  const all = [...byName].map(([name, of]) => combined(name, of, owners));
  return {
    people: all.filter((one): one is FilePerson => !('says' in one)),
    conflicts: all.filter((one): one is FileConflict => 'says' in one),
  };
}

const keyOf = ({ source, name }: PersonRow['accounts'][number]) => JSON.stringify([source, name]);

function combined(
  name: string,
  rows: readonly PersonRow[],
  owners: ReadonlyMap<string, ReadonlySet<string>>,
): FilePerson | FileConflict {
  const lines = rows.map(({ line }) => line);
  const attributes: Record<string, string> = {};
  for (const [attribute, value] of rows.flatMap((row) => Object.entries(row.attributes))) {
    const before = attributes[attribute];
    if (before !== undefined && before !== value)
      return { name, lines, says: `has two values of the attribute ${attribute} in the file` };
    attributes[attribute] = value;
  }
  const accounts = new Map(
    rows.flatMap((row) => row.accounts).map((account) => [keyOf(account), account]),
  );
  for (const [key, account] of accounts) {
    const [other] = [...(owners.get(key) ?? [])].filter((owner) => owner !== name);
    if (other !== undefined)
      return {
        ...{ name, lines },
        says: `has the account ${account.name} in ${account.source}, which the file also gives to ${other}`,
      };
  }
  return { name, lines, attributes, accounts: [...accounts.values()] };
}
