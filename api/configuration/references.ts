import path from 'node:path';
import { channelKinds } from '../../connectors/notices/registry';
import { connectorKinds } from '../../connectors/registry';
import { isBelow } from '../../guarded-file';
import {
  type ConfigurationIssue,
  type SourceConfiguration,
  secretReference,
} from '../../model/configuration/document';
import { asks } from '../../model/configuration/isolation';
import type { Database } from '../../store/database';
import { readSecretPlaces, type SecretPlaces } from '../../store/presence';

type WithSettings = Readonly<Record<string, Pick<SourceConfiguration, 'kind' | 'settings'>>>;

/** The sections of a configuration whose settings refer to secrets. */
interface Referring {
  readonly sources: WithSettings;
  readonly notices: WithSettings;
}

/**
 * The issues of the references to secrets that no present worker resolves. Whether the secret exists, only a worker
 * knows: `lockstep doctor` shows it.
 */
export async function referenceIssues(
  db: Database,
  { sources, notices }: Referring,
): Promise<ConfigurationIssue[]> {
  const places = await readSecretPlaces(db);
  const issuesIn = (
    section: 'sources' | 'notices',
    kinds: ReadonlyMap<string, { readonly secretSettings: readonly string[] }>,
  ) =>
    Object.entries(section === 'sources' ? sources : notices).flatMap(
      ([name, { kind, settings }]) =>
        (kinds.get(kind)?.secretSettings ?? []).flatMap((field) => {
          const ofWorkers = places.filter(({ sources: boundTo }) =>
            section === 'sources'
              ? asks(boundTo ?? undefined, name, sources[name])
              : boundTo === null,
          );
          const says = problemOf(String(settings[field] ?? ''), ofWorkers);
          return says === null ? [] : [{ path: [section, name, 'settings', field], says }];
        }),
    );
  return [...issuesIn('sources', connectorKinds), ...issuesIn('notices', channelKinds)];
}

function problemOf(reference: string, places: readonly SecretPlaces[]): string | null {
  const [, kind, name = ''] = secretReference.exec(reference) ?? [];
  if (kind === undefined) return null;
  const isFile = kind === 'file';
  const isAllowed = ({ folder, prefix }: SecretPlaces) =>
    isFile ? isBelow(folder, path.resolve(folder, name)) : name.startsWith(prefix);
  if (places.length === 0 || places.some(isAllowed)) return null;
  const allowed = places.map(({ folder, prefix }) => (isFile ? folder : prefix));
  const limits = [...new Set(allowed)].join(' or ');
  return isFile
    ? `names a file outside ${limits}, the folder for secrets of the worker; move the file there, or change LOCKSTEP_SECRETS_DIR of the worker`
    : `names a variable without the prefix ${limits}; rename it, or change LOCKSTEP_SECRETS_PREFIX of the worker`;
}
