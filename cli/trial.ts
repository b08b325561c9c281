import { fork } from 'node:child_process';
import type { TrialJob, TrialMessage } from '../model/trial';

/**
 * Tries a connector in a child process, so that the command line never loads connectors. The child runs on this machine as
 * the current user, without API and worker.
 */
export async function* tryConnector(job: TrialJob): AsyncGenerator<TrialMessage> {
  // Its output is discarded: libraries may print the passwords that pass through them.
  const child = fork(require.resolve('../connectors/trial/main'), { stdio: 'ignore' });
  const messages: TrialMessage[] = [];
  let wake = () => {};
  let over = false;
  child.on('message', (message: TrialMessage) => {
    messages.push(message);
    wake();
  });
  for (const event of ['error', 'close'])
    child.on(event, () => {
      over = true;
      wake();
    });
  child.send(job);
  for (;;) {
    yield* messages.splice(0);
    if (over && messages.length === 0) return;
    if (messages.length === 0)
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
  }
}
