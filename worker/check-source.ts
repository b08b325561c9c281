import type { Connector, Finding } from '../connectors/contract';

export interface SourceCheck {
  readonly findings: readonly Finding[];
}

/** What `lockstep doctor` asks about one source. */
export async function checkSource(connector: Connector): Promise<SourceCheck> {
  return { findings: await connector.check() };
}
