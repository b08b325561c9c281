import type { Configuration, ConfigurationIssue } from './document';

interface Isolable {
  /** Absent in a source that is not configured yet: a worker that is not bound checks it. */
  readonly isolated?: boolean;
}

/**
 * Whether a worker asks a source.
 * @param boundTo the sources to which the worker is bound; undefined for a worker of all sources that are not isolated
 */
export const asks = (
  boundTo: readonly string[] | undefined,
  name: string,
  source: Isolable | undefined,
): boolean => (boundTo === undefined ? source?.isolated !== true : boundTo.includes(name));

export const isolatedSources = ({ sources }: Pick<Configuration, 'sources'>): string[] =>
  Object.keys(sources).filter((name) => sources[name]?.isolated === true);

/**
 * What an isolated source cannot have. Captures are evaluated by workers that have no secret of the source, and so cannot
 * ask it. Stored passwords are opened by workers with a master key, which its own workers do not have.
 */
export const isolationIssues = ({
  sources,
}: Pick<Configuration, 'sources'>): ConfigurationIssue[] =>
  Object.entries(sources).flatMap(([name, { isolated, capture, adapter }]) =>
    [
      isolated &&
        capture?.enabled === true &&
        'an isolated source captures no passwords: remove capture, and syncFromAdapter of its adapter, or set isolated to false',
      isolated &&
        adapter?.sendOldPassword === true &&
        'an isolated source gets no old password, because its worker cannot open stored credentials: remove sendOldPassword of its adapter, or set isolated to false',
    ].flatMap((says) => (says ? [{ path: ['sources', name, 'isolated'], says }] : [])),
  );
