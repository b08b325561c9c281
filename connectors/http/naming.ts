import { foldCase } from '../../model/people/fold-case';
import { exactNaming, type Naming } from '../../model/people/naming';

/**
 * How the users of an API are distinguished. The case of names and values is ignored.
 * @param exact attributes whose values differ by case
 */
export const userNaming = (
  isLasting: Naming['isLasting'],
  exact: readonly string[] = [],
): Naming => ({
  canonicalName: foldCase,
  canonicalValue: (attribute, value) =>
    exact.includes(attribute.slice(attribute.lastIndexOf(':') + 1)) ? value : foldCase(value),
  canonicalId: exactNaming.canonicalId,
  isLasting,
});

/** Ids that the vendor never gives to another user. */
export const lastingIds = (): boolean => true;
