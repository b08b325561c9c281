import type { Connector } from '../../connectors/contract';
import { connectorKinds } from '../../connectors/registry';
import { Secret } from '../../model/passwords/secret';
import type { Settings, Subject } from './conformance/subject';

/** Opens the connector of a subject, with changes to its settings. The caller closes it. */
export async function openSubject(
  subject: Subject,
  changes: Settings = {},
  secrets: Readonly<Record<string, string>> = subject.secrets,
): Promise<Connector> {
  const kind = connectorKinds.get(subject.kind);
  if (kind === undefined) throw new Error(`No connector kind ${subject.kind}`);
  const resolve = (reference: string) => {
    const secret = secrets[reference];
    if (secret === undefined) throw new Error(`The subject has no secret ${reference}`);
    return Secret.fromText(secret);
  };
  return kind.open({ ...subject.settings(subject.server), ...changes }, { resolve });
}

/** Opens connectors of the subject, with changes to its settings, and closes them after the suite. */
export function openerOf(subject: Subject): (changes?: Settings) => Promise<Connector> {
  const opened: Connector[] = [];
  afterAll(() => Promise.all(opened.map((connector) => connector.close())));
  return async (changes) => {
    const connector = await openSubject(subject, changes);
    opened.push(connector);
    return connector;
  };
}
