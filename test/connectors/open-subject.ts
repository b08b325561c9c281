import type { Connector } from '../../connectors/contract';
import { connectorKinds } from '../../connectors/registry';
import { Secret } from '../../model/passwords/secret';
import type { Settings, Subject } from './conformance/subject';

/** Its own connector, with what is to be different. */
export async function openSubject(
  subject: Subject,
  changes: Settings = {},
  secrets: Readonly<Record<string, string>> = subject.secrets,
): Promise<Connector> {
  const kind = connectorKinds.get(subject.kind);
  if (kind === undefined) throw new Error(subject.kind);
  const settings = { ...subject.settings(subject.server), ...changes };
  return kind.open(settings, {
    resolve: (reference) => Secret.fromText(secrets[reference] ?? ''),
  });
}
