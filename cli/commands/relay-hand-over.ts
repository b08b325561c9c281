import { Command } from 'commander';
import { Secret } from '../../model/passwords/secret';
import { zeroableBytes } from '../../model/passwords/zeroable';
import type { Exit } from '../exit-codes';
import { Failure, usage } from '../failure';
import { helpText } from '../help-text';
import { readInto } from '../password/lines';
import { action, type Session } from '../session';
import { moment } from '../values';

interface HandOverOptions {
  readonly socket: string;
  readonly account: string;
  readonly capturedAt?: Date;
  readonly sequence?: string;
  readonly hash?: boolean;
}

export const handOverCommand = (): Command =>
  new Command('hand-over')
    .summary('submit one captured password to a running relay')
    .description(
      'Submits one password to a running relay, for scripts in a source. All of stdin is the password, byte for byte, so it ' +
        'must not end with a newline. After success, the relay has stored the password durably. After a failure, run the ' +
        'command again.',
    )
    .requiredOption('--socket <path>', 'path of the socket of the relay')
    .requiredOption('--account <name>', 'name of the account in the source')
    .option(
      '--captured-at <time>',
      'when the password was changed in the source, such as 2026-01-31T12:00:00Z (default: now)',
      moment,
    )
    .option(
      '--sequence <text>',
      'identifier of this change in the source; use the same one when you submit the change again',
    )
    .option('--hash', 'stdin is the hash of the password that the source stores')
    .addHelpText(
      'after',
      helpText({
        examples: [
          [
            'lockstep relay hand-over --socket /run/relay/capture.sock --account alice < /dev/fd/3',
            'submits the password that the script has on descriptor 3; a pipe works as well',
          ],
        ],
      }),
    )
    .action(action(handOver));

async function handOver(
  { output }: Session,
  { socket, account, capturedAt, sequence, hash }: HandOverOptions,
): Promise<Exit> {
  const client =
    require('../../capture/hand-over/client') as typeof import('../../capture/hand-over/client');
  const { refusals } =
    require('../../capture/hand-over/protocol') as typeof import('../../capture/hand-over/protocol');
  const password = await readPassword();
  try {
    const refusal = await client.handOver(socket, {
      ...{ account, password, hashed: hash === true, current: null },
      capturedAt: capturedAt ?? null,
      sequence: sequence ?? null,
    });
    if (refusal !== null) throw new Failure(`${refusals[refusal]} Submit the password again.`);
  } catch (error) {
    if (error instanceof Failure) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new Failure(
      `The relay at ${socket} did not accept the password (${code}). Check that the relay is running, then submit the password again.`,
    );
  } finally {
    password.destroy();
  }
  output.show({ handedOver: true }, () => []);
  return 'done';
}

/** The longest password that a relay accepts. */
const MAX_BYTES = 4096;

async function readPassword(): Promise<Secret> {
  const bytes = zeroableBytes(MAX_BYTES + 1);
  const length = await readInto(bytes, null);
  if (length > 0 && length <= MAX_BYTES) return Secret.of(bytes.subarray(0, length));
  bytes.fill(0);
  throw usage(
    length === 0
      ? 'stdin is empty: write the password to it.'
      : `stdin holds more than ${MAX_BYTES} bytes, which is too long for a password.`,
  );
}
