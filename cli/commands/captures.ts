import { Command } from 'commander';
import type { Exit } from '../exit-codes';
import type { Relay } from '../http/shapes';
import { action, type Session } from '../session';
import { teach } from '../teach';
import { relayLines } from '../text/relay-text';

export const capturesCommand = (): Command =>
  new Command('captures')
    .summary('see how the relays beside the sources are')
    .description(
      'Relays: when each was heard last, what waits beside its source and how old it is, and what was lost. Revoke the key ' +
        'of a relay with "lockstep keys revoke" to be rid of it.',
    )
    .addHelpText(
      'after',
      teach({ examples: [['lockstep captures', 'whether every relay is heard, and delivers']] }),
    )
    .action(
      action(async ({ output, api }: Session): Promise<Exit> => {
        const { relays } = await (await api()).get<{ relays: Relay[] }>(['relays']);
        output.show({ relays }, () => relayLines(output, relays, Date.now()));
        return 'done';
      }),
    );
