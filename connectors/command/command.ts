import type { Connector, ConnectorTools } from '../contract';
import { ok, wrong } from '../http/checks';
import { type Lost, openWire } from '../wire/connector';
import { namingBy, servedBy } from '../wire/settings';
import { callProgram } from './call';
import { examineProgram, mayBeRun } from './check';
import type { CommandSettings } from './settings';

export const openCommand = (
  settings: CommandSettings,
  { commandDir }: Pick<ConnectorTools, 'commandDir'>,
): Connector =>
  openWire({
    call: callProgram(settings, () => mayBeRun(commandDir, settings.command)),
    served: servedBy(settings),
    naming: namingBy(settings),
    examine: () => examineProgram(settings, commandDir),
    answered: [ok('answers', 'The program answers.')],
    lost: findingOf,
    close: async () => {},
  });

const findingOf = ({ vendorCode }: Lost) =>
  wrong(
    'answers',
    `The program gave no valid answer (${vendorCode ?? 'busy'}). Run it by hand: echo '{"version":1,"operation":"check"}' piped into it must give one JSON answer and exit code 0.`,
  );
