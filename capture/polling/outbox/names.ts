import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { Misconfigured } from '../../../config';
import type { SqlEngine } from '../../../connectors/sql/identifiers';
import type { outboxSettings } from './settings';

export interface OutboxSetup {
  /** For a client of the database, as an administrator. */
  readonly sql: string;
  /** Takes away what `sql` made. */
  readonly undo: string;
  /** For relay.json, as far as it is known. */
  readonly poll: { readonly kind: 'outbox'; readonly settings: z.input<typeof outboxSettings> };
}

/** What the SQL of both engines is made of; not quoted yet. */
export interface OutboxNames {
  readonly application: TableName;
  readonly accountColumn: string;
  readonly passwordColumn: string;
  readonly outbox: string;
  readonly role: string;
  readonly triggers: { readonly insert: string; readonly update: string };
  /** Of the function that both triggers of PostgreSQL call. */
  readonly capture: string;
}

/** A table with its schema, which MySQL calls a database. */
export interface TableName {
  readonly schema: string;
  readonly table: string;
}

const PART = /^(?:"((?:[^"]|"")+)"|([^".]+))(\.|$)/;

/**
 * `app.users`, each part as it is stored: nothing is made lower case. A part with dots or quotes stands in double quotes.
 * @throws Misconfigured
 */
export function readTableName(text: string): TableName {
  const parts: string[] = [];
  let rest = text;
  for (let more = true; more; ) {
    const [whole, quotedPart, plain, end] = PART.exec(rest) ?? [];
    if (whole === undefined) break;
    parts.push(quotedPart?.replaceAll('""', '"') ?? plain ?? '');
    rest = rest.slice(whole.length);
    more = end === '.';
    if (
      !more &&
      rest === '' &&
      parts[0] !== undefined &&
      parts[1] !== undefined &&
      parts.length === 2
    )
      return { schema: parts[0], table: parts[1] };
  }
  throw new Misconfigured(
    `${text} is no table: give schema and table, such as app.users or "my.schema"."Users"; in MySQL the database is the schema`,
  );
}

/** PostgreSQL's limit in bytes; MySQL's are 64 characters. */
const MOST_BYTES = 63;
const DIGEST = 8;

/** A name of ours for something beside the table; where it would be too long, a digest stands for the end of the table's. */
export function named(table: string, suffix: string): string {
  const whole = `${table}_lockstep_${suffix}`;
  if (Buffer.byteLength(whole) <= MOST_BYTES) return whole;
  const digest = createHash('sha256').update(table).digest('hex').slice(0, DIGEST);
  const end = `_${digest}_lockstep_${suffix}`;
  let start = '';
  for (const letter of table)
    if (Buffer.byteLength(start + letter + end) <= MOST_BYTES) start += letter;
    else break;
  return start + end;
}

/** @throws Misconfigured for a name that the engine has no room for, or that would not stay in its line */
export function checkName(engine: SqlEngine, name: string): void {
  const fits =
    engine === 'postgres' ? Buffer.byteLength(name) <= MOST_BYTES : [...name].length <= 64;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are looked for
  if (!fits || name === '' || /[\0-\x1f\x7f]/.test(name))
    throw new Misconfigured(`${JSON.stringify(name)} cannot be a name in ${engine}`);
}
