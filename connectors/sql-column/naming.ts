import { foldCase } from '../../model/people/fold-case';
import { exactNaming, type Naming } from '../../model/people/naming';
import { isUuid } from '../../model/people/uuid';
import type { SqlColumnSettings } from './settings';

type Keys = Pick<SqlColumnSettings, 'engine' | 'keyColumn' | 'keyComparison'>;

/** The usual collations of MySQL and MariaDB ignore case and spaces at the end. */
export const keyComparisonOf = ({ engine, keyComparison }: Keys): 'exact' | 'ignore-case' =>
  keyComparison ?? (engine === 'mysql' ? 'ignore-case' : 'exact');

/**
 * How the rows of a table are distinguished. Values of other columns are compared exactly. An id that is no UUID is unique
 * only now, because an application that counts can give the number of a deleted row to a new one.
 */
export function rowNaming(settings: Keys): Naming {
  if (keyComparisonOf(settings) === 'exact') return { ...exactNaming, isLasting: isUuid };
  const canonicalName = (key: string) => foldCase(key.replace(/ +$/, ''));
  return {
    canonicalName,
    canonicalValue: (attribute, value) =>
      attribute === settings.keyColumn ? canonicalName(value) : value,
    canonicalId: exactNaming.canonicalId,
    isLasting: isUuid,
  };
}
