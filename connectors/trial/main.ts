import { refuseDebugOutput, resolveReference } from '../../config';
import { checkConfiguration } from '../../model/configuration/check';
import { sourceNamed } from '../../model/configuration/document';
import type { TrialJob, TrialMessage } from '../../model/trial';
import type { Connector } from '../contract';
import { connectorKinds, type RegisteredKind } from '../registry';
import { runTrial } from './run';

/**
 * The process that `lockstep connector test` starts, because the command line itself knows no connectors. It stands where
 * its author is: their machine, their rights, their files.
 */
process.once('message', (job: TrialJob) => {
  refuseDebugOutput();
  void carryOut(job).then(() => {
    say({ kind: 'ended' });
    process.disconnect();
  });
});

const say = (message: TrialMessage) => process.send?.(message);

async function carryOut({ document, source, account, find }: TrialJob): Promise<void> {
  const checked = checkConfiguration(document, connectorKinds);
  if (!checked.valid) return void say({ kind: 'issues', issues: checked.issues });
  const configured = sourceNamed(checked.configuration, source);
  const kind = connectorKinds.get(configured?.kind ?? '');
  if (configured === undefined || kind === undefined)
    return void say({ kind: 'unknown_source', known: Object.keys(checked.configuration.sources) });
  const opened: Connector[] = [];
  const open = async (settings: unknown) => {
    const connector = await kind.open(settings, tools);
    opened.push(connector);
    return connector;
  };
  try {
    const hasty = (timeoutMs: number) => hastily(kind, configured.settings, timeoutMs, open);
    const connector = await open(configured.settings);
    for await (const result of runTrial(connector, { account, find, hasty }))
      say({ kind: 'result', result });
  } finally {
    await Promise.all(opened.map((connector) => connector.close()));
  }
}

/** Whoever runs this could run any program themselves. */
const tools = { resolve: resolveReference, commandDir: '/' };

async function hastily(
  kind: RegisteredKind,
  settings: object,
  timeoutMs: number,
  open: (settings: unknown) => Promise<Connector>,
): Promise<Connector | null> {
  const hasty = { ...settings, timeoutMs };
  return kind.settings.safeParse(hasty).success ? open(hasty) : null;
}
