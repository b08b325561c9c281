import { randomBytes } from 'node:crypto';
import type { Company, CompanyAccount, SystemName } from './company';
import type { Lockstep } from './lockstep';

/** A random name for an account or a file. */
export const uniqueName = (): string => randomBytes(6).toString('hex');

/** A new random password that no policy refuses. */
export const newPassword = (): string =>
  `A new one for everybody ${Math.random().toString(36).slice(2)}`;

/** Adds a person with a new account in each system, the auth account first. */
export async function addSomebody(
  lockstep: Lockstep,
  company: Company,
  ...systems: readonly SystemName[]
) {
  const accounts = await Promise.all(systems.map((system) => company.addAccount(system)));
  return { person: await lockstep.addPerson(accounts), accounts };
}

/** Passwords that have to arrive byte for byte, each with a description. */
export const awkwardWords = [
  ['plain', 'correct horse battery staple'],
  ['of quotes and backslashes', `it's "quoted" \\ and %s $1 {}`],
  ['of emoji and accents', 'pässwörd 🐦 пароль 密码'],
  ['of 256 characters', '0123456789abcdéf'.repeat(16)],
] as const;

/** For each account, whether a login with the password succeeds. */
export const holders = (accounts: readonly CompanyAccount[], word: string): Promise<boolean[]> =>
  Promise.all(accounts.map((account) => account.logsIn(word)));
