import { once } from 'node:events';
import { Command } from 'commander';
import type { Registration } from '../../capture/setup';
import { Secret } from '../../model/secret';
import { zeroableBytes } from '../../model/zeroable';
import type { Exit } from '../exit-codes';
import { Failure, usage } from '../failure';
import { readInto } from '../password/lines';
import { action, type Session } from '../session';
import { teach } from '../teach';
import { moment } from '../values';

export const captureCommand = (): Command =>
  new Command('capture')
    .summary('run a relay beside a source')
    .description(
      'A relay takes in passwords that are changed in a source, seals them so that only a worker can open them, keeps ' +
        'them until Lockstep has them, and brings them in their order. "lockstep captures" shows how all relays are.',
    )
    .addCommand(setupCommand())
    .addCommand(runCommand())
    .addCommand(handOverCommand());

interface SetupOptions {
  readonly dir: string;
  readonly ca?: string;
}

const setupCommand = (): Command =>
  new Command('setup')
    .summary('register a relay')
    .description(
      'Makes the keys of a relay, registers it for one source with your admin key, and writes its configuration. Run it on ' +
        'the machine of the source, as the user that the relay will have.',
    )
    .argument('<source>', 'the source beside which it will run')
    .requiredOption('--dir <folder>', 'where its keys, its configuration and its spool will be')
    .option('--ca <file>', 'whose certificate the api shows, if it is not a public one (PEM)')
    .addHelpText(
      'after',
      teach({
        examples: [
          [
            'lockstep capture setup directory --dir /var/lib/lockstep-relay',
            'then: lockstep capture run --config /var/lib/lockstep-relay/relay.json',
          ],
        ],
      }),
    )
    .action(action(setup));

async function setup(
  { output, api }: Session,
  source: string,
  { dir, ca }: SetupOptions,
): Promise<Exit> {
  const lockstep = await api();
  // Loaded only here and below: no other command needs what a relay does.
  const { setUpRelay } = require('../../capture/setup') as typeof import('../../capture/setup');
  const url = lockstep.url.href;
  const file = await setUpRelay({
    ...{ dir, url, source, caFile: ca ?? null },
    register: (publicKey) =>
      lockstep.send<Registration>('POST', ['relays'], {
        body: { source, publicKey },
        missing: `There is no source ${source}. "lockstep sources" shows them.`,
      }),
  }).catch(asFailure);
  output.show({ file }, () => [`Wrote ${file}.`, `Next: lockstep capture run --config ${file}`]);
  return 'done';
}

const runCommand = (): Command =>
  new Command('run')
    .summary('run a relay')
    .description(
      'Runs a relay until it is told to stop (SIGTERM or Ctrl-C). It logs to stdout, a line of JSON each.',
    )
    .requiredOption('--config <file>', 'what "lockstep capture setup" wrote')
    .addHelpText(
      'after',
      teach({
        examples: [['lockstep capture run --config /var/lib/lockstep-relay/relay.json', 'runs it']],
      }),
    )
    .action(
      action(async (_session: Session, { config }: { readonly config: string }): Promise<Exit> => {
        const { refuseDebugOutput } = require('../../config') as typeof import('../../config');
        const { readSettings } =
          require('../../capture/settings') as typeof import('../../capture/settings');
        const { startRelay } =
          require('../../capture/relay') as typeof import('../../capture/relay');
        const stopping = new AbortController();
        for (const signal of ['SIGINT', 'SIGTERM'] as const)
          process.once(signal, () => stopping.abort());
        const start = async () => {
          refuseDebugOutput();
          return startRelay(readSettings(config));
        };
        const relay = await start().catch(asFailure);
        if (!stopping.signal.aborted) await once(stopping.signal, 'abort');
        await relay.stop();
        return 'done';
      }),
    );

interface HandOverOptions {
  readonly socket: string;
  readonly account: string;
  readonly capturedAt?: Date;
  readonly sequence?: string;
}

const handOverCommand = (): Command =>
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
    .addHelpText(
      'after',
      teach({
        examples: [
          [
            'lockstep capture hand-over --socket /run/relay/capture.sock --account alice < /dev/fd/3',
            'hands over what the script has on descriptor 3; a pipe does as well',
          ],
        ],
      }),
    )
    .action(action(handOver));

async function handOver(
  { output }: Session,
  { socket, account, capturedAt, sequence }: HandOverOptions,
): Promise<Exit> {
  const client =
    require('../../capture/hand-over/client') as typeof import('../../capture/hand-over/client');
  const { refusals } =
    require('../../capture/hand-over/protocol') as typeof import('../../capture/hand-over/protocol');
  const password = await readPassword();
  try {
    const refusal = await client.handOver(socket, {
      ...{ account, password, current: null },
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

/** What an operator has to put right is written for them; everything else is a mistake of ours. */
function asFailure(error: unknown): never {
  const { Misconfigured } = require('../../config') as typeof import('../../config');
  if (error instanceof Misconfigured) throw new Failure(error.message, { exit: 'usage' });
  throw error;
}
