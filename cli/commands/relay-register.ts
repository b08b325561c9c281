import { Command } from 'commander';
import type { Registration } from '../../capture/setup';
import type { Exit } from '../exit-codes';
import { helpText } from '../help-text';
import { asFailure } from '../misconfigured';
import { action, type Session } from '../session';

interface RelayOptions {
  readonly dir: string;
  readonly ca?: string;
}

export const registerCommand = (): Command =>
  new Command('register')
    .summary('register a relay for a source')
    .description(
      'Makes the keys of a relay, registers it for one source with your admin key, and writes its configuration. Run it on ' +
        'the machine of the source, as the user that the relay will have.',
    )
    .argument('<source>', 'the source beside which it will run')
    .requiredOption('--dir <folder>', 'where its keys, its configuration and its spool will be')
    .option('--ca <file>', 'whose certificate the api shows, if it is not a public one (PEM)')
    .addHelpText(
      'after',
      helpText({
        examples: [
          [
            'lockstep relay register directory --dir /var/lib/lockstep-relay',
            'then: lockstep relay run --config /var/lib/lockstep-relay/relay.json',
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
  output.show({ file }, () => [`Wrote ${file}.`, `Next: lockstep relay run --config ${file}`]);
  return 'done';
}
