import type { Company, CompanyAccount, SystemName } from './company';
import type { Lockstep } from './lockstep';

/** One that no policy refuses, and that nobody had before. */
export const newPassword = (): string =>
  `A new one for everybody ${Math.random().toString(36).slice(2)}`;

/** A person with one fresh account in each of these, the auth account first. */
export async function addSomebody(
  lockstep: Lockstep,
  company: Company,
  ...systems: readonly SystemName[]
) {
  const accounts = await Promise.all(systems.map((system) => company.addAccount(system)));
  return { person: await lockstep.addPerson(accounts), accounts };
}

/** What has to arrive byte for byte; each after what it is like. */
export const awkwardWords = [
  ['plain', 'correct horse battery staple'],
  ['of quotes and backslashes', `it's "quoted" \\ and %s $1 {}`],
  ['of emoji and accents', 'pässwörd 🐦 пароль 密码'],
  ['of 256 characters', '0123456789abcdéf'.repeat(16)],
] as const;

/** Which of the accounts take the password, in their order. */
export const holders = (accounts: readonly CompanyAccount[], word: string): Promise<boolean[]> =>
  Promise.all(accounts.map((account) => account.logsIn(word)));
