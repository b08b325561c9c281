/** Suffixes of the two directories. Both sides compute the same people, so they write the same entries. */
export const suffixes = { corp: 'dc=corp,dc=bench', apps: 'o=apps' } as const;

export type SourceName = keyof typeof suffixes;

export const sourceNames = Object.keys(suffixes) as SourceName[];

export interface BenchAccount {
  readonly source: SourceName;
  readonly uid: string;
  readonly dn: string;
}

export interface BenchPerson {
  readonly name: string;
  /** The auth account, which is changed first. */
  readonly auth: BenchAccount;
  readonly others: readonly BenchAccount[];
}

/** A random password without digits, so that it never contains the number in the name of a person by chance. */
export const randomPassword = (): string =>
  crypto.randomUUID().replace(/\d/g, (digit) => 'ghijklmnop'.charAt(Number(digit)));

/** Number of people, large enough that no person is changed twice at the same time. */
const CROWD = 160;

/** Numbers of accounts, in addition to the auth account, of the people who are changed one at a time. */
export const sizes = [1, 10, 100, 1000] as const;
export type Size = (typeof sizes)[number];

/** People with five accounts in two sources each. */
export const crowdOf = (size: number): readonly BenchPerson[] =>
  Array.from({ length: size }, (_, index) => {
    const name = `person-${index}`;
    return {
      name,
      auth: account('corp', name),
      others: [
        account('corp', `${name}-admin`),
        account('corp', `${name}-backup`),
        account('apps', name),
        account('apps', `${name}-admin`),
      ],
    };
  });

export const crowd = crowdOf(CROWD);

/** The person with each number of accounts. */
export const owners: Readonly<Record<Size, BenchPerson>> = {
  1: owner(1),
  10: owner(10),
  100: owner(100),
  1000: owner(1000),
};

export const everybody: readonly BenchPerson[] = [...crowd, ...Object.values(owners)];

export const accountsOf = ({ auth, others }: BenchPerson): readonly BenchAccount[] => [
  auth,
  ...others,
];

function owner(size: Size): BenchPerson {
  const name = `owner-of-${size}`;
  const others = Array.from({ length: size }, (_, index) => account('apps', `${name}-${index}`));
  return { name, auth: account('corp', name), others };
}

function account(source: SourceName, uid: string): BenchAccount {
  return { source, uid, dn: `uid=${uid},ou=people,${suffixes[source]}` };
}
