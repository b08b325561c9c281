import { Command } from 'commander';
import type { Registration } from '../../capture/setup';
import type { Exit } from '../exit-codes';
import { teach } from '../help-text';
import { asFailure } from '../misconfigured';
import { action, type Session } from '../session';
import { outboxCommand } from './relay-setup-outbox';
import { setupSambaCommand } from './relay-setup-samba';

export const captureSetupCommand = (): Command =>
  new Command('setup')
    .summary('set up a relay, and what hands passwords over to it')
    .description('Each is run once, on the machine of the source.')
    .addCommand(relayCommand())
    .addCommand(setupSambaCommand())
    .addCommand(outboxCommand());

interface RelayOptions {
  readonly dir: string;
  readonly ca?: string;
}

const relayCommand = (): Command =>
  new Command('relay')
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
            'lockstep capture setup relay directory --dir /var/lib/lockstep-relay',
            'then: lockstep capture run --config /var/lib/lockstep-relay/relay.json',
          ],
        ],
      }),
    )
    .action(action(setUpRelayOf));

async function setUpRelayOf(
  { output, api }: Session,
  source: string,
  { dir, ca }: RelayOptions,
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
