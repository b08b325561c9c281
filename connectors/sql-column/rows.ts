import { hasValues, isSameName, type Naming } from '../../model/people/naming';
import { attributesAt } from '../attributes';
import type { AccountRef, FoundAccount } from '../contract';
import type { SqlSession } from '../sql/sessions';
import type { Dialect } from './engine';
import { keyComparisonOf } from './naming';
import type { SqlColumnSettings } from './settings';

/** The SQL statements on the table of the settings. */
export interface Rows {
  /** Names of the columns by which `find` can search. */
  readonly attributes: readonly string[];
  /** Whether the table has a column of ids. */
  readonly haveIds: boolean;
  find(
    session: SqlSession,
    match: Readonly<Record<string, string>>,
    limit: number,
  ): Promise<FoundAccount[]>;
  /** Reads a page in the order of the keys: the rows after `key`, or from the start if `key` is null. */
  after(session: SqlSession, key: string | null, limit: number): Promise<FoundAccount[]>;
  /** Reads at most two rows with this key, in any spelling. Two rows show that the key is not unique. */
  named(session: SqlSession, key: string): Promise<readonly AccountRow[]>;
  /** Reads at most two rows with this id. None if the table has no column of ids. */
  identified(session: SqlSession, id: string): Promise<readonly AccountRow[]>;
  /**
   * Writes the hash to each row with exactly this key, id and stored password, so that a lock which the application has
   * set since the row was read is not overwritten.
   * @returns the number of changed rows
   */
  write(session: SqlSession, row: AccountRow, hash: string): Promise<number>;
  /** Runs an update of these columns that matches no row. It throws if the service account may not write them. */
  rehearse(session: SqlSession, columns: readonly string[]): Promise<void>;
  /** Writes to the columns of one row the values that they have. @returns the number of rows that the update has met */
  rehearseOn(session: SqlSession, row: AccountRef, columns: readonly string[]): Promise<number>;
}

/** A row as an account: its name is the key as the table spells it. */
export interface AccountRow extends AccountRef {
  readonly hash: string | null;
  readonly disabled: boolean;
  readonly changedAt: Date | null;
}

/** A condition, and the values of its parameters. */
interface Condition {
  readonly sql: (firstParameter: number) => string;
  readonly values: readonly string[];
}

export function rowsOf(dialect: Dialect, settings: SqlColumnSettings, naming: Naming): Rows {
  const { quote, parameter, text, equals, epochMs } = dialect;
  const { schema, keyColumn, idColumn, changedAtColumn, disabledColumn } = settings;
  const table = [...(schema === undefined ? [] : [schema]), settings.table].map(quote).join('.');
  const [key, password] = [quote(keyColumn), quote(settings.passwordColumn)];
  const id = idColumn === undefined ? 'null' : text(quote(idColumn));
  const attributes = [...new Set([keyColumn, ...settings.attributes])];
  // Qualified by the table, because a bare name would sort by the selected text of the key.
  const order = `order by ${table}.${key}`;
  const shown = attributes.map((name) => `${text(quote(name))} as ${quote(name)}`).join(', ');
  const changedAt = changedAtColumn === undefined ? 'null' : epochMs(quote(changedAtColumn));
  const disabled = disabledColumn === undefined ? 'null' : text(quote(disabledColumn));
  const stamp = changedAtColumn === undefined ? '' : `, ${quote(changedAtColumn)} = now()`;

  const equal = (column: string, value: string): Condition => ({
    sql: (n) => equals(quote(column), n),
    values: [value, value],
  });
  const isNull = (column: string): Condition => ({ sql: () => `${column} is null`, values: [] });
  const ignoresCase = keyComparisonOf(settings) === 'ignore-case';
  /** Compares as the collation of the column does. The caller compares the names again. */
  const alike = (column: string, value: string): Condition => ({
    sql: (n) => `${quote(column)} = ${parameter(n)}`,
    values: [value],
  });
  const matching = (column: string, value: string): Condition =>
    ignoresCase && column === keyColumn ? alike(column, value) : equal(column, value);

  const unchanged = (columns: readonly string[]) =>
    columns.map((column) => `${quote(column)} = ${quote(column)}`).join(', ');

  async function accounts(session: SqlSession, rest: string, values: readonly string[]) {
    const { rows } = await session.query(
      `select ${shown}, ${id} as lockstep_id from ${table} where ${rest}`,
      values,
    );
    return rows.map((row) => ({
      name: row[keyColumn] ?? '',
      nativeId: row.lockstep_id ?? null,
      attributes: attributesAt(attributes, (name) => [row[name]].filter((one) => one != null)),
    }));
  }

  async function read(session: SqlSession, condition: Condition): Promise<readonly AccountRow[]> {
    const { rows } = await session.query(
      `select ${text(key)} as name, ${id} as id, ${text(password)} as hash,
         ${disabled} as disabled, ${changedAt} as changed_at
       from ${table} where ${condition.sql(1)} limit 2`,
      condition.values,
    );
    return rows.map((row) => ({
      name: row.name ?? '',
      nativeId: row.id ?? null,
      hash: row.hash ?? null,
      disabled: row.disabled != null && settings.disabledValues.includes(row.disabled),
      changedAt: row.changed_at == null ? null : new Date(Number(row.changed_at)),
    }));
  }

  return {
    attributes,
    haveIds: idColumn !== undefined,
    async find(session, match, limit) {
      const wanted = Object.entries(match);
      const { sql, values } = allOf(wanted.map(([name, value]) => matching(name, value)));
      const rest = [`${key} is not null`, ...sql].join(' and ');
      const found = await accounts(session, `${rest} ${order} limit ${limit}`, values);
      return found.filter(({ attributes: values }) =>
        hasValues(naming, match, (name) => values[name] ?? []),
      );
    },
    after(session, last, limit) {
      const start = last === null ? `${key} is not null` : `${key} > ${parameter(1)}`;
      const values = last === null ? [] : [last];
      return accounts(session, `${start} ${order} limit ${limit}`, values);
    },
    async named(session, name) {
      const rows = await read(session, matching(keyColumn, name));
      return rows.filter((row) => isSameName(naming, row.name, name));
    },
    identified: async (session, nativeId) =>
      idColumn === undefined ? [] : read(session, equal(idColumn, nativeId)),
    async write(session, row, hash) {
      const { sql, values } = allOf(
        [
          equal(keyColumn, row.name),
          ...(idColumn === undefined || row.nativeId === null
            ? []
            : [equal(idColumn, row.nativeId)]),
          row.hash === null ? isNull(password) : equal(settings.passwordColumn, row.hash),
        ],
        2,
      );
      const { count } = await session.query(
        `update ${table} set ${password} = ${parameter(1)}${stamp} where ${sql.join(' and ')}`,
        [hash, ...values],
      );
      return count;
    },
    async rehearse(session, columns) {
      await session.query(`update ${table} set ${unchanged(columns)} where 1 = 0`);
    },
    async rehearseOn(session, { name }, columns) {
      const { sql, values } = equal(keyColumn, name);
      const { count } = await session.query(
        `update ${table} set ${unchanged(columns)} where ${sql(1)}`,
        values,
      );
      return count;
    },
  };
}

/** Numbers the parameters of several conditions, from `first` on. */
function allOf(conditions: readonly Condition[], first = 1) {
  let n = first;
  const sql = conditions.map((condition) => {
    const numbered = condition.sql(n);
    n += condition.values.length;
    return numbered;
  });
  return { sql, values: conditions.flatMap(({ values }) => values) };
}
