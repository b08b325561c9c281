import { quoted } from '../../../connectors/sql/identifiers';
import type { SqlSession } from '../../../connectors/sql/sessions';
import type { Startpoint } from '../../../model/captures/startpoint';
import { PollFailure } from '../poller';
import type { Engine } from './engine';
import type { OutboxSettings } from './settings';

export const PAGE_ROWS = 200;

export interface OutboxRow {
  readonly id: string;
  /** Null if it is longer than an account can be. */
  readonly account: string | null;
  /** The password or its hash; null if it is longer than a password can be. */
  readonly value: string | null;
  /** Microseconds since 1970. Together with the id it is unique even if the table is created again. */
  readonly changedAtUs: string;
}

/** Maximum lengths in bytes, those of docs/captures/protocol.md. */
const MAX_BYTES = { account: 1024, value: 4096 };

/** The statements on the outbox table of the settings. */
export function rowsOf({ dialect }: Engine, { engine, schema, table, keepDays }: OutboxSettings) {
  const { number, text, changedAtUs, now, daysAgo } = dialect;
  const named = [...(schema === undefined ? [] : [schema]), table].map(quoted[engine]).join('.');
  const shortOf = (column: keyof typeof MAX_BYTES) =>
    `case when octet_length(${column}) <= ${MAX_BYTES[column]} then ${column} end as ${column}`;
  const shown = `${text('id')} as id, ${shortOf('account')}, ${shortOf('value')}, ${text(changedAtUs)} as at`;
  // The number of parameters is constant, so that the driver reuses one prepared statement.
  const these = `id in (${Array.from({ length: PAGE_ROWS }, (_, at) => number(at + 1)).join(', ')})`;
  const padded = (ids: readonly string[]) =>
    Array.from({ length: PAGE_ROWS }, (_, at) => ids[at] ?? '0');

  /**
   * Applies `what` to all rows that match `where`. It first selects ids, which takes no locks, and then changes rows by id: a
   * change of a range would also lock rows that the application is about to insert.
   */
  async function each(session: SqlSession, what: string, where: string, values: string[] = []) {
    const some = `select ${text('id')} as id from ${named} where ${where} limit ${PAGE_ROWS}`;
    for (;;) {
      const { rows } = await session.query(some, values);
      const ids = rows.map(({ id }) => id ?? '');
      if (ids.length > 0) await session.query(`${what} where ${these}`, padded(ids));
      if (ids.length < PAGE_ROWS) return;
    }
  }
  const marking = (takenAt: string) => `update ${named} set taken_at = ${takenAt}`;

  /** The expression that orders the rows for a startpoint, and the value after which the rows begin. */
  async function from(session: SqlSession, startpoint: Startpoint): Promise<[string, string]> {
    if (startpoint.from === 'begin') return ['id', '0'];
    if (startpoint.from === 'time')
      return [changedAtUs, String(startpoint.at.getTime() * 1000 - 1)];
    if (startpoint.from === 'end') {
      const { rows } = await session.query(`select ${text('max(id)')} as id from ${named}`);
      return ['id', rows[0]?.id ?? '0'];
    }
    const [, id = '0', us] = CURSOR.exec(startpoint.cursor) ?? [];
    const found = `select ${text(changedAtUs)} as at from ${named} where id = ${number(1)}`;
    const { rows } = await session.query(found, [id]);
    if (rows[0] === undefined || (us !== undefined && rows[0].at !== us))
      throw new PollFailure('startpoint_unknown');
    return ['id', id];
  }

  return {
    /** The oldest rows that were not read yet, at most a page. */
    async untaken(session: SqlSession): Promise<readonly OutboxRow[]> {
      const { rows } = await session.query(
        `select ${shown} from ${named} where taken_at is null order by ${named}.id limit ${PAGE_ROWS}`,
      );
      return rows.map(({ id, account = null, value = null, at }) => ({
        ...{ id: id ?? '', account, value, changedAtUs: at ?? '' },
      }));
    },
    async markTaken(session: SqlSession, ids: readonly string[]) {
      await session.query(`${marking(now)} where ${these}`, padded(ids));
    },
    /** Deletes rows that were read more than `keepDays` days ago. */
    dropOld: (session: SqlSession) =>
      each(session, `delete from ${named}`, `taken_at < ${daysAgo(keepDays)}`),
    /** Marks the rows from the startpoint on as not read, and all others as read. */
    async moveTo(session: SqlSession, startpoint: Startpoint) {
      const [what, after] = await from(session, startpoint);
      const begins = `${what} > ${number(1)}`;
      await each(session, marking('null'), `taken_at is not null and ${begins}`, [after]);
      await each(session, marking(now), `taken_at is null and not (${begins})`, [after]);
    },
  };
}

/** A cursor: the sequence of a capture (`id-changedAtUs`), or the id alone. */
const CURSOR = /^(\d{1,18})(?:-(\d{1,18}))?$/;
