import type { Connector, Finding } from '../connectors/contract';
import type { TargetPolicy } from '../model/target-policy';

export interface SourceCheck {
  readonly findings: readonly Finding[];
  /** What the source asks of passwords, for `lockstep plan`; none where it does not tell. */
  readonly policies: readonly TargetPolicy[];
}

/** What `lockstep doctor` asks about one source. */
export async function checkSource(connector: Connector): Promise<SourceCheck> {
  const findings = await connector.check();
  const told = await connector.policies?.();
  return { findings, policies: told?.result === 'policies' ? told.policies : [] };
}
