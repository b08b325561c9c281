/** Parses a filter of the form `name eq "value" and …`, which ignores case; null matches every user. */
export function filterOf<User>(
  filter: string | null,
  valuesAt: (user: User, path: string) => readonly unknown[],
): (user: User) => boolean {
  if (filter === null) return () => true;
  const terms = filter.split(/ and (?=[\w.]+ eq ")/).map((term) => {
    const [, path = '', json = ''] = /^([\w.]+) eq (".*")$/s.exec(term) ?? [];
    return { path, value: String(JSON.parse(json)).toLowerCase() };
  });
  return (user) =>
    terms.every(({ path, value }) =>
      valuesAt(user, path).some((one) => typeof one === 'string' && one.toLowerCase() === value),
    );
}
