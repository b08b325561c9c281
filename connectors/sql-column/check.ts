import { layoutOf, readEncoded, withoutPrefix } from '../../model/hashes/encoding';
import { Secret } from '../../model/passwords/secret';
import type { Finding } from '../contract';
import { encode } from '../encodings';
import { connectedFindings, unconnectedFindings } from '../sql/checks';
import { codeOf, type SqlFailure } from '../sql/failures';
import type { SqlSession } from '../sql/sessions';
import type { ColumnPlace, Dialect, Engine } from './engine';
import { keyComparisonOf } from './naming';
import { rowFindings, type Use } from './row-check';
import type { Rows } from './rows';
import type { SqlColumnSettings } from './settings';

/**
 * Returns the findings of `lockstep doctor`: whether the table matches the settings, and the service account has the
 * rights it needs and no others.
 */
export async function checkTable(
  engine: Engine,
  rows: Rows,
  settings: SqlColumnSettings,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const use: Use = (work) => engine.sessions.use(signal, work);
  const failureOf = async (work: (session: SqlSession) => Promise<unknown>) => {
    try {
      await use(work);
      return null;
    } catch (error) {
      return engine.failureOf(error);
    }
  };
  const unconnected = await failureOf(async () => {});
  if (unconnected !== null) return unconnectedFindings(unconnected);
  const unreadable = await failureOf((session) => rows.after(session, null, 1));
  if (unreadable !== null) return [...connectedFindings, tableFinding(unreadable)];
  const { passwordColumn, changedAtColumn, keyColumn } = settings;
  const written = [passwordColumn, ...(changedAtColumn === undefined ? [] : [changedAtColumn])];
  const unwritable = await failureOf((session) => rows.rehearse(session, written));
  if (unwritable !== null) return [...connectedFindings, rightsFinding(unwritable, written)];
  const mayRename = (await failureOf((session) => rows.rehearse(session, [keyColumn]))) === null;
  try {
    return [
      ...connectedFindings,
      mayRename ? tooManyRights(written) : rightsFinding(null, written),
      ...(await rowFindings(engine, rows, written, use)),
      await columnFinding(engine, settings, use),
      await keyFinding(engine, settings, use),
      await comparisonFinding(engine, settings, use),
      await schemeFinding(rows, settings, use),
    ];
  } catch (error) {
    return unconnectedFindings(engine.failureOf(error));
  }
}

function tableFinding(failure: SqlFailure): Finding {
  const says =
    failure.reason === 'no_rights'
      ? 'The service account may not read the table. GRANT SELECT on keyColumn, passwordColumn, attributes and the other columns that the settings name.'
      : 'The table cannot be read. Check the schema, the table and the columns in the settings.';
  return { check: 'table', verdict: 'wrong', says: `${says}${codeOf(failure)}` };
}

function rightsFinding(failure: SqlFailure | null, written: readonly string[]): Finding {
  const columns = written.join(', ');
  if (failure === null)
    return {
      check: 'rights',
      verdict: 'ok',
      says: `The service account may write ${columns}, and may not write the key.`,
    };
  if (failure.reason === 'read_only')
    return {
      check: 'rights',
      verdict: 'wrong',
      says: `The database accepts no writes${codeOf(failure)}: it is read-only or a replica. Set host to the primary server, or remove the setting that makes it read-only.`,
    };
  return {
    check: 'rights',
    verdict: 'wrong',
    says: `The service account may not write ${columns}${codeOf(failure)}. GRANT SELECT, UPDATE on these columns.`,
  };
}

const tooManyRights = (written: readonly string[]): Finding => ({
  check: 'rights',
  verdict: 'warning',
  says: `The service account may also write the key, which it does not need. REVOKE UPDATE on the table, and GRANT it on ${written.join(', ')} only.`,
});

/** Checks that a hash of the scheme fits the column. A hash that is cut short is a lost password. */
async function columnFinding(
  { dialect }: Engine,
  settings: SqlColumnSettings,
  use: Use,
): Promise<Finding> {
  const { passwordColumn, scheme } = settings;
  const sample = withoutPrefix(scheme, await encode(scheme, Secret.fromText('sample')));
  const { place, values } = placeOf(dialect, settings, passwordColumn);
  const { rows } = await use((session) =>
    session.query(
      `select character_maximum_length as size from information_schema.columns
       where table_name = ${place.table} and table_schema = ${place.schema} and column_name = ${place.column}`,
      values,
    ),
  );
  const size = rows[0]?.size;
  const fits = size == null || Number(size) >= sample.length;
  return {
    check: 'password-column',
    verdict: fits ? 'ok' : 'wrong',
    says: fits
      ? `A hash of ${sample.length} characters fits into ${passwordColumn}.`
      : `${passwordColumn} holds ${size} characters, and ${scheme} needs ${sample.length}. Make the column longer.`,
  };
}

/** Types whose values are no text. */
const BINARY = /^(bytea|bit|(var)?binary|(tiny|medium|long)?blob)/;

async function keyFinding(
  { dialect }: Engine,
  settings: SqlColumnSettings,
  use: Use,
): Promise<Finding> {
  const { keyColumn } = settings;
  const { place, values } = placeOf(dialect, settings, keyColumn);
  const { rows } = await use((session) =>
    session.query(
      `select data_type as type from information_schema.columns
       where table_name = ${place.table} and table_schema = ${place.schema} and column_name = ${place.column}`,
      values,
    ),
  );
  const type = rows[0]?.type?.toLowerCase() ?? '';
  if (BINARY.test(type))
    return {
      check: 'key',
      verdict: 'wrong',
      says: `${keyColumn} holds bytes (${type}), and Lockstep names accounts by text, so it would find no account. Set keyColumn to a column of text or numbers, such as the login.`,
    };
  const { count } = await use((session) => session.query(dialect.uniqueIndex(place), values));
  const unique = count > 0;
  return {
    check: 'key',
    verdict: unique ? 'ok' : 'wrong',
    says: unique
      ? `${keyColumn} is unique.`
      : `${keyColumn} has no unique index of its own, so a key may name several accounts. Create a unique index on it.`,
  };
}

/** Compares the setting with the collation of the column. */
async function comparisonFinding(
  { dialect }: Engine,
  settings: SqlColumnSettings,
  use: Use,
): Promise<Finding> {
  const { keyColumn } = settings;
  const { place, values } = placeOf(dialect, settings, keyColumn);
  const { rows } = await use((session) => session.query(dialect.ignoresCase(place), values));
  const real = rows[0]?.ignores === 't' ? 'ignore-case' : 'exact';
  const set = keyComparisonOf(settings);
  const check = 'key-comparison';
  if (real === set)
    return { check, verdict: 'ok', says: `${keyColumn} compares keys as keyComparison states.` };
  return {
    check,
    verdict: set === 'exact' ? 'warning' : 'wrong',
    says:
      set === 'exact'
        ? `${keyColumn} ignores the case of keys, and keyComparison is exact, so Lockstep finds no account by another spelling of its key. Set keyComparison to ignore-case.`
        : `${keyColumn} distinguishes keys by case, and keyComparison is ignore-case, so Lockstep takes two accounts for one. Set keyComparison to exact.`,
  };
}

function placeOf(dialect: Dialect, { schema, table }: SqlColumnSettings, column: string) {
  const named = schema === undefined ? [] : [schema];
  const values = [table, ...named, column];
  const place: ColumnPlace = {
    table: dialect.parameter(1),
    schema: schema === undefined ? dialect.currentSchema : dialect.parameter(2),
    column: dialect.parameter(values.length),
  };
  return { place, values };
}

/** Compares the scheme with that of one stored hash, because the application may support no other scheme. */
async function schemeFinding(
  rows: Rows,
  { scheme }: SqlColumnSettings,
  use: Use,
): Promise<Finding> {
  const stored = await use(async (session) => {
    const [account] = await rows.after(session, null, 1);
    const [row] = account === undefined ? [] : await rows.named(session, account.name);
    return row?.hash ?? null;
  });
  const { weak } = layoutOf(scheme);
  if (weak !== undefined)
    return {
      check: 'scheme',
      verdict: 'warning',
      says: `${scheme} is weak: ${weak}. Use a stronger scheme if the application supports one.`,
    };
  const alike = stored === null ? null : readEncoded(stored)?.scheme === scheme;
  if (alike === null)
    return {
      check: 'scheme',
      verdict: 'skipped',
      says: 'The table holds no password to compare the scheme with.',
    };
  return {
    check: 'scheme',
    verdict: alike ? 'ok' : 'warning',
    says: alike
      ? `The first password in the table is a ${scheme} hash.`
      : `The first password in the table is not a ${scheme} hash. Make sure that the application which reads it supports ${scheme}.`,
  };
}
