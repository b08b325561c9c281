import { applicationNamed } from '../../model/configuration/document';
import {
  type MappingFacts,
  type PlannedMapping,
  planMappings,
  type WantedRow,
} from '../../model/people/mapping-plan';
import type { Database } from '../database';
import { linkAccount, lockLinks } from './links';
import { readMappingFacts } from './mapping-facts';
import { createMappings, lockApplications } from './mappings';

/** The configuration that rows of mappings are compared with. */
type Configured = Pick<MappingFacts, 'applications' | 'rulesOf'>;

/** Decides what would become of each row, and changes nothing. */
export async function planRows(
  db: Database,
  configured: Configured,
  rows: readonly WantedRow[],
  link: boolean,
): Promise<PlannedMapping[]> {
  const facts = await readMappingFacts(db, namedIn(configured, rows));
  return planMappings({ ...configured, ...facts }, rows, link);
}

/**
 * Creates the mappings of the rows that can be created, all of them or none. The rows are decided about again under a
 * lock, because people may have changed since they were planned.
 * @param options.link whether accounts that are linked to no one are linked to the person of the row
 */
export const importMappings = (
  db: Database,
  configured: Configured,
  rows: readonly WantedRow[],
  options: { readonly link: boolean; readonly enabled: boolean },
  by: string,
): Promise<PlannedMapping[]> =>
  db.transaction().execute(async (trx) => {
    const { applications, sources } = namedIn(configured, rows);
    await lockApplications(trx, applications);
    for (const source of options.link ? sources : []) await lockLinks(trx, source);
    const planned = await planRows(trx, configured, rows, options.link);
    const created = planned.flatMap(({ application, creates }) =>
      creates === null ? [] : [{ application, ...creates }],
    );
    const accountIds = await linkMissing(trx, configured, created, by);
    const wanted = created.map((one, index) => ({ ...one, accountId: accountIds[index] ?? '' }));
    await createMappings(trx, wanted, options.enabled, by);
    return planned;
  });

type Created = NonNullable<PlannedMapping['creates']>;

/**
 * Links the accounts that are linked to no one. One account may be in rows of several applications.
 * @returns the id of the account of each row
 */
async function linkMissing(
  trx: Database,
  { rulesOf }: Configured,
  created: readonly Created[],
  by: string,
): Promise<string[]> {
  const linked = new Map<string, string>();
  const ids: string[] = [];
  for (const { identityId, source, account, accountId } of created) {
    const rules = rulesOf(source);
    const key = JSON.stringify([source, rules.naming.canonicalName(account)]);
    const known = accountId ?? linked.get(key);
    if (known !== undefined) {
      ids.push(known);
      continue;
    }
    const link = { source, name: account, nativeId: null, primary: false };
    const result = await linkAccount(trx, identityId, link, 'operator', by, rules);
    // The plan was made under the same locks, so a conflict is a bug, and nothing is created.
    if ('conflict' in result) throw new Error(`An account was not linked: ${result.conflict.why}`);
    linked.set(key, result.id);
    ids.push(result.id);
  }
  return ids;
}

function namedIn({ applications, rulesOf }: Configured, rows: readonly WantedRow[]) {
  const named = [...new Set(rows.map(({ application }) => application))].filter((name) =>
    Object.hasOwn(applications, name),
  );
  const sourceOf = (application: string) => applicationNamed({ applications }, application)?.source;
  const keyed = (source: string | undefined, account: string | undefined) =>
    source === undefined || account === undefined
      ? []
      : [{ source, key: rulesOf(source).naming.canonicalName(account) }];
  return {
    applications: named,
    sources: [...new Set(named.flatMap((name) => sourceOf(name) ?? []))].sort(),
    identities: rows.flatMap(({ identity }) => identity ?? []),
    accounts: rows.flatMap(({ application, account, owner }) => [
      ...keyed(sourceOf(application), account),
      ...keyed(owner?.source, owner?.account),
    ]),
  };
}
