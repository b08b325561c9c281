import { Misconfigured } from '../config';
import type { Connector, ConnectorTools, Finding } from './contract';

/**
 * Adds to the findings of `check` one for each secret of the settings that cannot be read, with the cause. A connector
 * itself reports only that its service account is refused.
 * @param references value by name of each setting that refers to a secret
 */
export function reportingSecrets(
  connector: Connector,
  references: Readonly<Record<string, unknown>>,
  { resolve }: ConnectorTools,
): Connector {
  return {
    ...connector,
    check: async () => [
      ...Object.entries(references).flatMap(([name, reference]) =>
        typeof reference === 'string' ? unreadable(name, reference, resolve) : [],
      ),
      ...(await connector.check()),
    ],
  };
}

function unreadable(
  name: string,
  reference: string,
  resolve: ConnectorTools['resolve'],
): readonly Finding[] {
  try {
    resolve(reference).destroy();
    return [];
  } catch (error) {
    if (!(error instanceof Misconfigured)) throw error;
    return [{ check: 'secret', verdict: 'wrong', says: `${name}: ${error.message}` }];
  }
}
