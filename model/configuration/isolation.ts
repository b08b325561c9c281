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

/** Captures are evaluated by workers that have no secret of an isolated source, and so cannot ask it. */
export const isolationIssues = ({
  sources,
}: Pick<Configuration, 'sources'>): ConfigurationIssue[] =>
  Object.entries(sources).flatMap(([name, { isolated, capture }]) =>
    isolated && capture?.enabled === true
      ? [
          {
            path: ['sources', name, 'isolated'],
            says: 'an isolated source captures no passwords: remove capture, and syncFromAdapter of its adapter, or set isolated to false',
          },
        ]
      : [],
  );
