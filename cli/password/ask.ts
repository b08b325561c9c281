import { isUtf8 } from 'node:buffer';
import type { Secret } from '../../model/passwords/secret';
import { Failure, usage } from '../failure';
import { readLines } from './lines';
import { openPrompt, type Prompt } from './prompt';

/** The passwords of one change. The caller destroys them. */
export interface Passwords {
  readonly next: Secret;
  readonly current: Secret | null;
}

interface Wanted {
  /** The person, for the question at the terminal. */
  readonly who: string;
  /** True to ask for the current password too. */
  readonly current: boolean;
  /** A file to read the passwords from; null for the terminal or stdin. */
  readonly file: string | null;
}

/**
 * Reads the passwords from the named file, otherwise from the terminal, otherwise from stdin. In a file and on stdin the new
 * password is on the first line and the current one on the second.
 */
export async function askPasswords({ who, current, file }: Wanted): Promise<Passwords> {
  if (isPrompted(file)) return askAtTerminal(who, current);
  const wanted = ['new password', ...(current ? ['current password'] : [])];
  const [next, second = null] = await readLines(file, wanted);
  if (next === undefined) throw usage('There is no password to read.');
  return { next, current: second };
}

/**
 * Reads the password that an account has already: it is asked once, because it is verified before it is used.
 * @param file a file to read it from; null for the terminal or stdin
 */
export async function askExisting(question: string, file: string | null): Promise<Secret> {
  if (!isPrompted(file)) {
    const [password] = await readLines(file, ['password']);
    if (password === undefined) throw usage('There is no password to read.');
    return password;
  }
  const prompt = openPrompt(process.stdin, process.stderr);
  try {
    return await prompt.ask(question);
  } finally {
    prompt.close();
  }
}

/** Refuses a hidden option that people try. @param value undefined if it was not given */
export function refuseOnCommandLine(value: unknown): void {
  if (value !== undefined)
    throw usage(
      'Every user of this machine can read a password on the command line, and the shell saves it in its history. It was ' +
        'not used. Choose another password, and enter it at the prompt, through stdin or with --password-file.',
    );
}

/** Whether the passwords are typed at the terminal. */
export const isPrompted = (file: string | null | undefined): boolean =>
  (file ?? null) === null && process.stdin.isTTY;

async function askAtTerminal(who: string, withCurrent: boolean): Promise<Passwords> {
  const prompt = openPrompt(process.stdin, process.stderr);
  try {
    const current = withCurrent ? await prompt.ask(`Current password of ${who}: `) : null;
    try {
      return { next: await askTwice(prompt, who), current };
    } catch (error) {
      current?.destroy();
      throw error;
    }
  } finally {
    prompt.close();
  }
}

const MAX_TRIES = 3;

/**
 * Asks twice, because typing is not shown and a typing error would lock the person out of every account. When the two
 * differ, it asks again, as passwd(1) does: a command that ends would leave the next typed password to the shell.
 */
async function askTwice(prompt: Prompt, who: string): Promise<Secret> {
  for (let tries = 1; ; tries++) {
    const next = await prompt.ask(`New password of ${who}: `);
    try {
      const flaw = await flawOf(prompt, next);
      if (flaw === null) return next;
      if (tries === MAX_TRIES)
        throw new Failure(`${flaw} Nothing was sent. Run the command again.`);
      prompt.note(`${flaw} Try again.`);
    } catch (error) {
      next.destroy();
      throw error;
    }
    next.destroy();
  }
}

/** Asks for the password once more. @returns why it cannot be used, or null */
async function flawOf(prompt: Prompt, next: Secret): Promise<string | null> {
  const again = await prompt.ask('Repeat the new password: ');
  const same = next.equals(again);
  again.destroy();
  if (!same) return 'The two passwords differ.';
  if (next.use(({ length }) => length) === 0) return 'The password is empty.';
  if (!next.use(isUtf8))
    throw new Failure(
      'The terminal does not send UTF-8. Nothing was sent. Set its encoding to UTF-8 and run the command again.',
    );
  return null;
}
