import { type Adapter, inboundSync, type Switches } from '../../model/configuration/adapter';
import type { Output } from '../output';
import { table } from './table';

type Adapters = Readonly<Record<string, Adapter>>;

export const adapterTable = (output: Output, adapters: Adapters, switches: Switches): string[] =>
  Object.keys(adapters).length === 0
    ? ['There is no adapter yet. Next: lockstep adapters create']
    : table(
        output,
        [
          { title: 'ADAPTER' },
          { title: 'STATE' },
          { title: 'GROUP' },
          { title: 'TO' },
          { title: 'FROM' },
          { title: 'APPLICATIONS', cut: 'first' },
        ],
        Object.entries(adapters).map(([name, adapter]) => [
          name,
          adapter.enabled ? 'enabled' : 'disabled',
          adapter.adapterGroup ?? '-',
          outbound(adapter, switches),
          inbound(adapter, switches),
          adapter.applications.join(', '),
        ]),
      );

/** What is written to the adapter, with the switches. */
function outbound({ enabled, syncToAdapter }: Adapter, { windowsToAdapters }: Switches): string {
  if (!syncToAdapter) return 'off';
  return enabled && windowsToAdapters ? 'on' : 'waits';
}

/** What captures of the adapter change, with the switches. */
function inbound(adapter: Adapter, switches: Switches): string {
  if (!adapter.syncFromAdapter) return 'off';
  return inboundSync(adapter, switches) ?? 'waits';
}

const yesNo = (value: boolean): string => (value ? 'yes' : 'no');

/** What `on` and so on mean for an adapter. `waits` is not among them: see `missingText`. */
const outboundSays: Readonly<Record<string, string>> = {
  on: 'changes are written to the adapter',
  off: 'nothing is written: syncToAdapter is off',
};
const inboundSays: Readonly<Record<string, string>> = {
  full: 'captures change the stored credential and the directory',
  partial: 'captures change the stored credential only',
  off: 'captures are refused: syncFromAdapter is off',
};

function outboundText(adapter: Adapter, switches: Switches): string {
  const missing = missingText(adapter, switches.windowsToAdapters, 'the switch windowsToAdapters');
  return outboundSays[outbound(adapter, switches)] ?? `nothing is written until ${missing}`;
}

function inboundText(adapter: Adapter, switches: Switches): string {
  const isOn =
    switches.adaptersToStore || (adapter.changeWindowsPassword && switches.adaptersToWindows);
  const names = adapter.changeWindowsPassword
    ? 'the switch adaptersToStore or adaptersToWindows'
    : 'the switch adaptersToStore';
  const missing = missingText(adapter, isOn, names);
  return inboundSays[inbound(adapter, switches)] ?? `captures are refused until ${missing}`;
}

/** What is still missing of a direction that the adapter wants. */
const missingText = ({ enabled }: Adapter, isOn: boolean, names: string): string =>
  [...(enabled ? [] : ['the adapter is enabled']), ...(isOn ? [] : [`${names} is on`])].join(
    ' and ',
  );

/** Everything that the configuration has about an adapter, one line per subject. */
export function adapterLines(name: string, adapter: Adapter, switches: Switches): string[] {
  const rows: [string, string][] = [
    ['enabled', yesNo(adapter.enabled)],
    ['group', adapter.adapterGroup ?? 'none'],
    ['applications', adapter.applications.join(', ') || 'none'],
    ['syncToAdapter', yesNo(adapter.syncToAdapter)],
    ['sendOldPassword', yesNo(adapter.sendOldPassword)],
    ['syncFromAdapter', yesNo(adapter.syncFromAdapter)],
    ['verifyOldPassword', yesNo(adapter.verifyOldPassword)],
    ['changeWindowsPassword', yesNo(adapter.changeWindowsPassword)],
    ['allowMappingConflicts', yesNo(adapter.allowMappingConflicts)],
    ['to the adapter', outboundText(adapter, switches)],
    ['from the adapter', inboundText(adapter, switches)],
  ];
  const width = Math.max(...rows.map(([title]) => title.length));
  return [name, ...rows.map(([title, value]) => `  ${title.padEnd(width)}  ${value}`)];
}
