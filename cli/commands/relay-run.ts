import { once } from 'node:events';
import { Command } from 'commander';
import type { Exit } from '../exit-codes';
import { helpText } from '../help-text';
import { asFailure } from '../misconfigured';
import { action, type Session } from '../session';

export const runRelayCommand = (): Command =>
  new Command('run')
    .summary('run a registered relay')
    .description(
      'Runs a registered relay until SIGTERM or Ctrl-C. It writes its log to stdout, one JSON object per line.',
    )
    .requiredOption('--config <file>', 'relay.json, which "lockstep relay register" wrote')
    .addHelpText(
      'after',
      helpText({
        examples: [
          ['lockstep relay run --config /var/lib/lockstep-relay/relay.json', 'runs the relay'],
        ],
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
