import { refuseDebugOutput } from '../../config';
import { checkConfiguration } from '../../model/configuration/check';
import { sourceNamed } from '../../model/configuration/document';
import type { TrialJob, TrialMessage } from '../../model/trial';
import type { Connector } from '../contract';
import { channelKinds } from '../notices/registry';
import { resolveLocally } from '../references';
import { connectorKinds, type RegisteredKind } from '../registry';
import { runTrial } from './run';

/**
 * The process that `lockstep connector test` starts, because the command line itself may not import connectors. It runs on
 * the machine of the author, with the author's rights and files.
 */
process.once('message', (job: TrialJob) => {
  refuseDebugOutput();
  void runJob(job).then(() => {
    send({ kind: 'ended' });
    process.disconnect();
  });
});

const send = (message: TrialMessage) => process.send?.(message);

async function runJob({ document, source, account, find }: TrialJob): Promise<void> {
  const checked = checkConfiguration(document, connectorKinds, channelKinds);
  if (!checked.valid) return void send({ kind: 'issues', issues: checked.issues });
  const configured = sourceNamed(checked.configuration, source);
  const kind = connectorKinds.get(configured?.kind ?? '');
  if (configured === undefined || kind === undefined)
    return void send({ kind: 'unknown_source', known: Object.keys(checked.configuration.sources) });
  const opened: Connector[] = [];
  const open = async (settings: unknown) => {
    const connector = await kind.open(settings, tools);
    opened.push(connector);
    return connector;
  };
  try {
    const hasty = (timeoutMs: number) => openHasty(kind, configured.settings, timeoutMs, open);
    const connector = await open(configured.settings);
    for await (const result of runTrial(connector, { account, find, hasty }))
      send({ kind: 'result', result });
  } finally {
    await Promise.all(opened.map((connector) => connector.close()));
  }
}

/** Any program and any file is allowed, because the author can run and read them anyway. */
const tools = { resolve: resolveLocally, commandDir: '/' };

async function openHasty(
  kind: RegisteredKind,
  settings: object,
  timeoutMs: number,
  open: (settings: unknown) => Promise<Connector>,
): Promise<Connector | null> {
  const hasty = { ...settings, timeoutMs };
  return kind.settings.safeParse(hasty).success ? open(hasty) : null;
}
