import { quoted } from '../../../connectors/sql/identifiers';
import type { SqlSession } from '../../../connectors/sql/sessions';
import type { Startpoint } from '../../../model/captures/startpoint';
import { PollFailure } from '../poller';
import type { Engine } from './engine';
import type { OutboxSettings } from './settings';

export const PAGE_ROWS = 200;

export interface OutboxRow {
  readonly id: string;
  /** Null: too long to be one. */
  readonly account: string | null;
  readonly value: string | null;
  /** Since 1970. With the id it is unique, also when the table was made anew. */
  readonly changedAtUs: string;
}

/** As those of docs/captures/protocol.md, in bytes. */
const MOST = { account: 1024, value: 4096 };

/** The statements over the table of the settings. */
export function rowsOf({ dialect }: Engine, { engine, schema, table, keepDays }: OutboxSettings) {
  const { number, text, changedAtUs, now, daysAgo } = dialect;
  const named = [...(schema === undefined ? [] : [schema]), table].map(quoted[engine]).join('.');
  const shortOf = (column: keyof typeof MOST) =>
    `case when octet_length(${column}) <= ${MOST[column]} then ${column} end as ${column}`;
  const shown = `${text('id')} as id, ${shortOf('account')}, ${shortOf('value')}, ${text(changedAtUs)} as at`;
  // Always as many: a driver keeps each statement prepared in the server.
  const these = `id in (${Array.from({ length: PAGE_ROWS }, (_, at) => number(at + 1)).join(', ')})`;
  const padded = (ids: readonly string[]) =>
    Array.from({ length: PAGE_ROWS }, (_, at) => ids[at] ?? '0');

  /**
   * Looks first, which takes no locks, and then does it by id: a range would also lock what the application is about to insert.
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

  /** What begins at the startpoint, and the parameter of that. */
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
    async untaken(session: SqlSession): Promise<readonly OutboxRow[]> {
      const { rows } = await session.query(
        `select ${shown} from ${named} where taken_at is null order by ${named}.id limit ${PAGE_ROWS}`,
      );
      return rows.map(({ id, account = null, value = null, at }) => ({
        ...{ id: id ?? '', account, value, changedAtUs: at ?? '' },
      }));
    },
    async take(session: SqlSession, ids: readonly string[]) {
      await session.query(`${marking(now)} where ${these}`, padded(ids));
    },
    dropOld: (session: SqlSession) =>
      each(session, `delete from ${named}`, `taken_at < ${daysAgo(keepDays)}`),
    async moveTo(session: SqlSession, startpoint: Startpoint) {
      const [what, after] = await from(session, startpoint);
      const begins = `${what} > ${number(1)}`;
      await each(session, marking('null'), `taken_at is not null and ${begins}`, [after]);
      await each(session, marking(now), `taken_at is null and not (${begins})`, [after]);
    },
  };
}

/** A sequence as it was handed over, or the id alone. */
const CURSOR = /^(\d{1,18})(?:-(\d{1,18}))?$/;
