import { fork } from 'node:child_process';
import type { TrialJob, TrialMessage } from '../model/trial';

/**
 * Connectors are tried in a process of its own: the command line loads none of them. It runs here, as whoever tries them;
 * no api and no worker takes part.
 */
export async function* tryConnector(job: TrialJob): AsyncGenerator<TrialMessage> {
  // Its output would be what libraries print, who may print what passes through them.
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
