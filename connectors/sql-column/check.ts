import { layoutOf, readEncoded, withoutPrefix } from '../../model/hashes/encoding';
import { Secret } from '../../model/passwords/secret';
import type { Finding } from '../contract';
import { encode } from '../encodings';
import { connectedFindings, unconnectedFindings } from '../sql/checks';
import type { SqlFailure } from '../sql/failures';
import type { SqlSession } from '../sql/sessions';
import type { ColumnPlace, Dialect, Engine } from './engine';
import type { Rows } from './rows';
import type { SqlColumnSettings } from './settings';

type Use = <T>(work: (session: SqlSession) => Promise<T>) => Promise<T>;

/** Whether the table is as the settings say, and the service account may write what it must and no more. */
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
      await columnFinding(engine, settings, use),
      await keyFinding(engine, settings, use),
      await schemeFinding(rows, settings, use),
    ];
  } catch (error) {
    return unconnectedFindings(engine.failureOf(error));
  }
}

const codeOf = ({ vendorCode }: SqlFailure): string =>
  vendorCode === null ? '' : ` (${vendorCode})`;

function tableFinding(failure: SqlFailure): Finding {
  const says =
    failure.reason === 'no_rights'
      ? 'The service account may not read the table. GRANT SELECT on keyColumn, attributes, passwordColumn and the others that are named.'
      : 'The table cannot be read. Compare schema, table and the columns with it.';
  return { check: 'table', verdict: 'wrong', says: `${says}${codeOf(failure)}` };
}

function rightsFinding(failure: SqlFailure | null, written: readonly string[]): Finding {
  const columns = written.join(', ');
  if (failure === null)
    return {
      check: 'rights',
      verdict: 'ok',
      says: `The service account may write ${columns}, and not the key.`,
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
  says: `The service account may write the key too. It needs UPDATE on ${written.join(', ')} only.`,
});

/** The column must take what the scheme makes: a hash that is cut short is a lost password. */
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
      : `${passwordColumn} takes ${size} characters, and ${scheme} needs ${sample.length}. Make it longer.`,
  };
}

async function keyFinding(
  { dialect }: Engine,
  settings: SqlColumnSettings,
  use: Use,
): Promise<Finding> {
  const { keyColumn } = settings;
  const { place, values } = placeOf(dialect, settings, keyColumn);
  const { count } = await use((session) => session.query(dialect.uniqueIndex(place), values));
  const unique = count > 0;
  return {
    check: 'key',
    verdict: unique ? 'ok' : 'wrong',
    says: unique
      ? `${keyColumn} is unique.`
      : `Nothing keeps ${keyColumn} unique, so it may name several accounts. Give it a unique index.`,
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

/** A look at one stored hash: an application reads its own scheme only. */
async function schemeFinding(
  rows: Rows,
  { scheme }: SqlColumnSettings,
  use: Use,
): Promise<Finding> {
  const stored = await use(async (session) => {
    const [account] = await rows.after(session, null, 1);
    const [row] = account === undefined ? [] : await rows.read(session, account.name);
    return row?.hash ?? null;
  });
  const { weak } = layoutOf(scheme);
  if (weak !== undefined)
    return { check: 'scheme', verdict: 'warning', says: `${scheme} is weak: ${weak}.` };
  const alike = stored === null ? null : readEncoded(stored)?.scheme === scheme;
  if (alike === null)
    return {
      check: 'scheme',
      verdict: 'skipped',
      says: 'No stored password to compare scheme with.',
    };
  return {
    check: 'scheme',
    verdict: alike ? 'ok' : 'warning',
    says: alike
      ? `The table holds ${scheme} already.`
      : `The first password in the table is not ${scheme}. Make sure that its reader takes that.`,
  };
}
