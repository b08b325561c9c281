import { linkedAccount, type Naming } from '../../model/people/naming';
import type { AccountProblem, AccountRef } from '../contract';
import type { SqlSession } from '../sql/sessions';
import type { AccountRow, Rows } from './rows';

/** Why no row is written or verified. The vendor code is one of our own. */
export interface NoRow {
  readonly reason: AccountProblem | 'not_supported';
  readonly vendorCode: string | null;
}

export type LinkedRow = { readonly row: AccountRow } | NoRow;

/** Vendor code of our own: the key or the id names more than one row. */
const SEVERAL_ROWS = 'several_rows';

/** Reads the row that a link means. */
export async function linkedRow(
  session: SqlSession,
  rows: Rows,
  naming: Naming,
  { name, nativeId }: AccountRef,
): Promise<LinkedRow> {
  const link = { name, nativeId: rows.haveIds ? nativeId : null };
  const named = await rows.named(session, name);
  const identified =
    link.nativeId === null || named[0]?.nativeId === link.nativeId
      ? []
      : await rows.identified(session, link.nativeId);
  if (named.length > 1 || identified.length > 1)
    return { reason: 'not_supported', vendorCode: SEVERAL_ROWS };
  const linked = linkedAccount(naming, link, named[0] ?? null, identified[0] ?? null);
  return linked.found ? { row: linked.account } : { reason: linked.problem, vendorCode: null };
}
