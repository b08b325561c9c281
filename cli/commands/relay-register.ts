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
    .summary('register a new relay for a source (once)')
    .description(
      'Creates the keys of a relay, registers it for one source with a key of the scope relay-enrol or admin, and writes its configuration. Run this ' +
        'on the machine of the source, as the user that the relay will run as.',
    )
    .argument('<source>', 'name of the source next to which the relay will run')
    .requiredOption(
      '--dir <folder>',
      'folder for the keys, the configuration and the spool of the relay',
    )
    .option('--ca <file>', 'certificate authority of the API (PEM), if it is not a public one')
    .addHelpText(
      'after',
      helpText({
        examples: [
          [
            'lockstep relay register directory --dir /var/lib/lockstep-relay',
            'registers it; then start it: lockstep relay run --config /var/lib/lockstep-relay/relay.json',
          ],
        ],
      }),
    )
    .action(action(register));

async function register(
  { output, api }: Session,
  source: string,
  { dir, ca }: RelayOptions,
): Promise<Exit> {
  const lockstep = await api();
  // Loaded on demand: only the commands of a relay need it.
  const { setUpRelay } = require('../../capture/setup') as typeof import('../../capture/setup');
  const url = lockstep.url.href;
  const file = await setUpRelay({
    ...{ dir, url, source, caFile: ca ?? null },
    register: (publicKey) =>
      lockstep.send<Registration>('POST', ['relays'], {
        body: { source, publicKey },
        missing: `There is no source ${source}. "lockstep sources" lists the sources.`,
      }),
  }).catch(asFailure);
  output.show({ file }, () => [`Wrote ${file}.`, `Next: lockstep relay run --config ${file}`]);
  return 'done';
}
