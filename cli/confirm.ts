import { createInterface } from 'node:readline/promises';
import { Failure, usage } from './failure';

/** Asks the operator to confirm. @throws unless the operator answers yes, and when there is no terminal */
export async function confirm(question: string): Promise<void> {
  if (!process.stdin.isTTY)
    throw usage(
      'There is no terminal to ask for confirmation. Check what would change, then run the command again with --yes.',
    );
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  // Ctrl-C and Ctrl-D close the question without an answer.
  const closed = new AbortController();
  asking.once('close', () => closed.abort());
  const answer = await asking
    .question(`${question} [y/N] `, { signal: closed.signal })
    .catch(() => '');
  asking.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw new Failure('Nothing was changed.');
}
