import type { Subject, TestAccount } from './subject';

/** The members of the entry of an account that have changed, although `alters` does not name them. */
export async function changedParts(
  subject: Subject,
  account: TestAccount,
  before: Readonly<Record<string, unknown>>,
  alters: readonly string[] = subject.mayChange,
): Promise<string[]> {
  const after = await subject.entry(account);
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter(
    (name) =>
      !alters.includes(name) && JSON.stringify(before[name]) !== JSON.stringify(after[name]),
  );
}
