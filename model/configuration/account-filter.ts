import type { MappingUse } from '../change/adapter-rules';
import type { PasswordFilter } from '../policy/password-filter';
import { applicationNamed, type Configuration, sourceNamed } from './document';

/**
 * The password filter of an account. Undefined: the account gets passwords unchanged. `filter_conflict`: two
 * applications of the account have different filters, so no password can suit both.
 */
export type AccountFilter = PasswordFilter | undefined | 'filter_conflict';

type Parts = Pick<Configuration, 'sources' | 'applications'>;

/**
 * The filter of the application that an account is mapped to, else the filter of its source. A disabled mapping or
 * application counts as well, because the system of the account accepts the same passwords then.
 * @param mappings the mappings of the account
 */
export function accountFilter(
  configuration: Parts,
  source: string,
  mappings: readonly MappingUse[] = [],
): AccountFilter {
  const filters = mappings.flatMap(
    ({ application }) => applicationNamed(configuration, application)?.passwordFilter ?? [],
  );
  const [first] = filters;
  if (first === undefined) return sourceNamed(configuration, source)?.passwordFilter;
  return filters.every((filter) => isSame(filter, first)) ? first : 'filter_conflict';
}

/** The applications of a source that have a filter of their own. */
export const applicationFilters = (
  { applications }: Pick<Configuration, 'applications'>,
  source: string,
): { readonly application: string; readonly filter: PasswordFilter }[] =>
  Object.entries(applications).flatMap(([application, { source: of, passwordFilter: filter }]) =>
    of === source && filter !== undefined ? [{ application, filter }] : [],
  );

/**
 * The filters that an account of a source may have: that of the source, and those of its applications. Null is in the
 * list when the source has none.
 */
export const filtersIn = (configuration: Parts, source: string): (PasswordFilter | null)[] => [
  sourceNamed(configuration, source)?.passwordFilter ?? null,
  ...applicationFilters(configuration, source).map(({ filter }) => filter),
];

/** A schema writes the fields of every filter in the same order. */
const isSame = (one: PasswordFilter, other: PasswordFilter): boolean =>
  JSON.stringify(one) === JSON.stringify(other);
