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
    .summary('hand a captured password over to a relay')
    .description(
      'For scripts of a source: all of stdin is the password, byte for byte, without a line end. When this succeeds, the relay ' +
        'has it for good; when it fails, hand it over again.',
    )
    .requiredOption('--socket <path>', 'the socket of the relay')
    .requiredOption('--account <name>', 'how the source calls the account')
    .option('--captured-at <time>', 'when it was changed there (default: now)', moment)
    .option('--sequence <text>', 'how the source calls this change: the same when told again')
    .option('--hash', 'stdin is a hash of the password, as the source keeps it')
    .addHelpText(
      'after',
      helpText({
        examples: [
          [
            'lockstep relay hand-over --socket /run/relay/capture.sock --account alice < /dev/fd/3',
            'hands over what the script has on descriptor 3; a pipe does as well',
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
    if (refusal !== null) throw new Failure(`${refusals[refusal]} Hand it over again.`);
  } catch (error) {
    if (error instanceof Failure) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new Failure(`The relay at ${socket} did not take it (${code}). Hand it over again.`);
  } finally {
    password.destroy();
  }
  output.show({ handedOver: true }, () => []);
  return 'done';
}

const MOST_BYTES = 4096;

async function readPassword(): Promise<Secret> {
  const bytes = zeroableBytes(MOST_BYTES + 1);
  const length = await readInto(bytes, null);
  if (length > 0 && length <= MOST_BYTES) return Secret.of(bytes.subarray(0, length));
  bytes.fill(0);
  throw usage(
    length === 0 ? 'There is no password on stdin.' : 'stdin holds far more than a password.',
  );
}
