import type { FoundAccount } from '../contract';
import type { SqlSession } from '../sql/sessions';
import type { Dialect } from './engine';
import type { SqlColumnSettings } from './settings';

/** The SQL statements on the table of the settings. */
export interface Rows {
  /** Names of the columns by which `find` can search. */
  readonly attributes: readonly string[];
  find(
    session: SqlSession,
    match: Readonly<Record<string, string>>,
    limit: number,
  ): Promise<FoundAccount[]>;
  /** Reads a page in the order of the keys: the rows after `key`, or from the start if `key` is null. */
  after(session: SqlSession, key: string | null, limit: number): Promise<FoundAccount[]>;
  /** Reads at most two rows with this key, which shows whether the key is unique. */
  read(session: SqlSession, key: string): Promise<readonly AccountRow[]>;
  /** Writes the hash to each row with this key. @returns the number of changed rows */
  write(session: SqlSession, key: string, hash: string): Promise<number>;
  /** Runs an update of these columns that matches no row. It throws if the service account may not write them. */
  rehearse(session: SqlSession, columns: readonly string[]): Promise<void>;
}

export interface AccountRow {
  readonly key: string;
  readonly hash: string | null;
  readonly disabled: boolean;
  readonly changedAt: Date | null;
}

export function rowsOf(dialect: Dialect, settings: SqlColumnSettings): Rows {
  const { quote, parameter, text, equals, epochMs } = dialect;
  const { schema, keyColumn, changedAtColumn, disabledColumn } = settings;
  const table = [...(schema === undefined ? [] : [schema]), settings.table].map(quote).join('.');
  const [key, password] = [quote(keyColumn), quote(settings.passwordColumn)];
  const attributes = [...new Set([keyColumn, ...settings.attributes])];
  // Qualified by the table, because a bare name would sort by the selected text of the key.
  const order = `order by ${table}.${key}`;
  const shown = attributes.map((name) => `${text(quote(name))} as ${quote(name)}`).join(', ');
  const changedAt = changedAtColumn === undefined ? 'null' : epochMs(quote(changedAtColumn));
  const disabled = disabledColumn === undefined ? 'null' : text(quote(disabledColumn));
  const stamp = changedAtColumn === undefined ? '' : `, ${quote(changedAtColumn)} = now()`;

  async function accounts(session: SqlSession, rest: string, values: readonly string[]) {
    const { rows } = await session.query(`select ${shown} from ${table} where ${rest}`, values);
    return rows.map((row) => ({
      name: row[keyColumn] ?? '',
      nativeId: null,
      attributes: Object.fromEntries(
        attributes.flatMap((name) => (row[name] == null ? [] : [[name, [row[name]]]])),
      ),
    }));
  }

  return {
    attributes,
    find(session, match, limit) {
      const conditions = Object.keys(match).map((name, at) => equals(quote(name), 2 * at + 1));
      const values = Object.values(match).flatMap((value) => [value, value]);
      const rest = [`${key} is not null`, ...conditions].join(' and ');
      return accounts(session, `${rest} ${order} limit ${limit}`, values);
    },
    after(session, last, limit) {
      const start = last === null ? `${key} is not null` : `${key} > ${parameter(1)}`;
      const values = last === null ? [] : [last];
      return accounts(session, `${start} ${order} limit ${limit}`, values);
    },
    async read(session, name) {
      const { rows } = await session.query(
        `select ${text(key)} as account, ${text(password)} as hash, ${disabled} as disabled, ${changedAt} as changed_at
         from ${table} where ${equals(key, 1)} limit 2`,
        [name, name],
      );
      return rows.map((row) => ({
        key: row.account ?? name,
        hash: row.hash ?? null,
        disabled: row.disabled != null && settings.disabledValues.includes(row.disabled),
        changedAt: row.changed_at == null ? null : new Date(Number(row.changed_at)),
      }));
    },
    async write(session, name, hash) {
      const { count } = await session.query(
        `update ${table} set ${password} = ${parameter(1)}${stamp} where ${equals(key, 2)}`,
        [hash, name, name],
      );
      return count;
    },
    async rehearse(session, columns) {
      const changes = columns.map((column) => `${quote(column)} = ${quote(column)}`).join(', ');
      await session.query(`update ${table} set ${changes} where 1 = 0`);
    },
  };
}
