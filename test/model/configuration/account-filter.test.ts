import { accountFilter, filtersIn } from '../../../model/configuration/account-filter';
import { configurationSchema } from '../../../model/configuration/document';

const upper = { case: 'upper', maxLength: 8 };
const configuration = (second: object = {}) =>
  configurationSchema.parse({
    version: 1,
    sources: { host: { kind: 'pull', settings: {}, passwordFilter: { case: 'lower' } } },
    applications: {
      payroll: { source: 'host', passwordFilter: upper },
      stock: { source: 'host', ...second },
      wiki: { source: 'elsewhere', passwordFilter: { maxLength: 3 } },
    },
  });
const mapped = (...applications: string[]) =>
  applications.map((application) => ({ application, enabled: false }));

describe('account filters', () => {
  test('an account has the filter of its application, also of a disabled mapping', () => {
    expect(accountFilter(configuration(), 'host', mapped('payroll'))).toMatchObject(upper);
  });

  test('an account has the filter of its source when no application of the account has one', () => {
    for (const mappings of [mapped(), mapped('stock'), mapped('removed')])
      expect(accountFilter(configuration(), 'host', mappings)).toMatchObject({ case: 'lower' });
  });

  test('an account has the filter of one application when another has the same one, or none', () => {
    for (const second of [{}, { passwordFilter: { maxLength: 8, case: 'upper' } }])
      expect(
        accountFilter(configuration(second), 'host', mapped('payroll', 'stock')),
      ).toMatchObject(upper);
  });

  test('an account has a conflict when two applications of the account have different ones', () => {
    const second = { passwordFilter: { case: 'lower' } };
    expect(accountFilter(configuration(second), 'host', mapped('payroll', 'stock'))).toBe(
      'filter_conflict',
    );
  });
});

test('the filters of a source are its own and those of its applications', () => {
  expect(filtersIn(configuration(), 'host')).toMatchObject([{ case: 'lower' }, upper]);
  expect(filtersIn(configuration(), 'elsewhere')).toMatchObject([null, { maxLength: 3 }]);
});
