import { isUtf8 } from 'node:buffer';
import type { Secret } from '../../model/passwords/secret';
import { Failure, usage } from '../failure';
import { readLines } from './lines';
import { openPrompt, type Prompt } from './prompt';

/** The passwords of one change, to be destroyed by the caller. */
export interface Passwords {
  readonly next: Secret;
  readonly current: Secret | null;
}

interface Wanted {
  readonly who: string;
  /** Ask for the current password as well. */
  readonly current: boolean;
  readonly file: string | null;
}

/** From the file that is named, else from the terminal, else from stdin: first the new one, then the current one. */
export async function askPasswords({ who, current, file }: Wanted): Promise<Passwords> {
  if (file === null && process.stdin.isTTY) return askAtTerminal(who, current);
  const wanted = ['new password', ...(current ? ['current password'] : [])];
  const [next, second = null] = await readLines(file, wanted);
  if (next === undefined) throw usage('There is no password.');
  return { next, current: second };
}

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

/** Nobody sees what they type, so a slip would lock the person out everywhere. */
async function askTwice(prompt: Prompt, who: string): Promise<Secret> {
  const next = await prompt.ask(`New password of ${who}: `);
  try {
    const again = await prompt.ask('The same again: ');
    const same = next.equals(again);
    again.destroy();
    if (!same) throw new Failure('The two are not the same. Nothing was sent.');
    if (next.use(({ length }) => length) === 0) throw new Failure('A password cannot be empty.');
    if (!next.use(isUtf8)) throw new Failure('The terminal does not send UTF-8. Nothing was sent.');
    return next;
  } catch (error) {
    next.destroy();
    throw error;
  }
}
