import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { Misconfigured } from '../../../config';
import type { SqlEngine } from '../../../connectors/sql/identifiers';
import type { outboxSettings } from './settings';

export interface OutboxSetup {
  /** SQL that creates the outbox; an administrator runs it in a database client. */
  readonly sql: string;
  /** SQL that removes everything that `sql` created. */
  readonly undo: string;
  /** The `poll` member of relay.json, with placeholders for the host and the password. */
  readonly poll: { readonly kind: 'outbox'; readonly settings: z.input<typeof outboxSettings> };
}

/** The unquoted names in the SQL of both engines. */
export interface OutboxNames {
  readonly application: TableName;
  readonly accountColumn: string;
  readonly passwordColumn: string;
  /** Name of the outbox table. */
  readonly outbox: string;
  /** Database role (MySQL: user) of the relay. */
  readonly role: string;
  readonly triggers: { readonly insert: string; readonly update: string };
  /** Name of the function that both triggers call in PostgreSQL. */
  readonly capture: string;
}

/** A table and its schema; in MySQL the schema is the database. */
export interface TableName {
  readonly schema: string;
  readonly table: string;
}

const PART = /^(?:"((?:[^"]|"")+)"|([^".]+))(\.|$)/;

/**
 * Parses a table name such as `app.users`. Each part must be spelled as the database stores it, because it is not converted to
 * lower case. A part with dots or quotes is written in double quotes.
 * @throws Misconfigured if the text is not a schema and a table
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
    `${text} is not a table name: give schema and table, such as app.users or "my.schema"."Users"; in MySQL the database is the schema`,
  );
}

/** Maximum length of a name in PostgreSQL, in bytes. MySQL allows 64 characters. */
const MAX_BYTES = 63;
const DIGEST = 8;

/**
 * The name of an object that Lockstep adds for a table. If it would be too long, a digest replaces the end of the table's
 * name.
 */
export function named(table: string, suffix: string): string {
  const whole = `${table}_lockstep_${suffix}`;
  if (Buffer.byteLength(whole) <= MAX_BYTES) return whole;
  const digest = createHash('sha256').update(table).digest('hex').slice(0, DIGEST);
  const end = `_${digest}_lockstep_${suffix}`;
  let start = '';
  for (const letter of table)
    if (Buffer.byteLength(start + letter + end) <= MAX_BYTES) start += letter;
    else break;
  return start + end;
}

/** @throws Misconfigured if a name is empty, too long for the engine, or contains control characters */
export function checkName(engine: SqlEngine, name: string): void {
  const fits =
    engine === 'postgres' ? Buffer.byteLength(name) <= MAX_BYTES : [...name].length <= 64;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this rejects
  if (!fits || name === '' || /[\0-\x1f\x7f]/.test(name))
    throw new Misconfigured(
      `${JSON.stringify(name)} cannot be a name in ${engine}: it is empty, too long, or has control characters`,
    );
}
