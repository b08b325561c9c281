import { accountRulesOf } from '../../connectors/registry';
import type { PlannedAccount } from '../../model/change/plan';
import { configurationSchema } from '../../model/configuration/document';
import { exactRules } from '../../model/people/naming';
import { applyConfiguration } from '../../store/configuration/versions';
import type { Database } from '../../store/database';
import { findIdentity, saveIdentity } from '../../store/people/identities';
import type { AccountLink } from '../../store/people/links';
import { endChange } from '../../store/worker/close';
import { type Settlement, settleAccounts } from '../../store/worker/outcomes';
import { storePlan } from '../../store/worker/store-plan';

/**
 * A configuration for tests of the api without a worker. It has two groups: `one-password` (auth source directory, with
 * warehouse and crm) and `finance` (auth source ledger, with vault). By default only `one-password` has people.
 */
export const testConfiguration = configurationSchema.parse({
  version: 1,
  sources: Object.fromEntries(
    ['directory', 'warehouse', 'crm', 'ledger', 'vault'].map((name) => [
      name,
      { kind: 'ldap', settings: {} },
    ]),
  ),
  policies: {
    staff: { minLength: 12, maxLength: 100 },
    finance: { minLength: 20, minNumeric: 2 },
  },
  groups: {
    'one-password': {
      policy: 'staff',
      authSource: 'directory',
      sources: ['directory', 'warehouse', 'crm'],
    },
    finance: { policy: 'finance', authSource: 'ledger', sources: ['ledger', 'vault'] },
  },
  applications: { reports: { source: 'warehouse' } },
});

export const applyTestConfiguration = (db: Database): Promise<number | null> =>
  applyConfiguration(db, testConfiguration, 0, 'test', accountRulesOf);

/** Adds an identity with an account of the same name in each source. */
export async function addPerson(
  db: Database,
  name: string,
  sources: readonly string[] = ['directory', 'warehouse'],
): Promise<void> {
  const links = sources.map(
    (source): AccountLink => ({ source, name, nativeId: null, primary: true }),
  );
  await saveIdentity(db, { name, attributes: {} }, links, 'operator', 'test', () => exactRules);
}

/** Records a plan, as a worker would; the first source is the auth source. */
export async function planned(
  db: Database,
  changeId: string,
  person: string,
  sources: readonly string[] = ['directory', 'warehouse'],
): Promise<void> {
  const identity = await findIdentity(db, { name: person });
  const accounts = sources.map((source, index): PlannedAccount => {
    const account = identity?.accounts.find((one) => one.source === source);
    return {
      label: source,
      source,
      accountId: account?.id ?? null,
      accountName: account?.name ?? null,
      role: index === 0 ? 'auth' : 'member',
      leftOut: null,
    };
  });
  await storePlan(db, changeId, accounts);
}

export async function settled(
  db: Database,
  changeId: string,
  label: string,
  outcome: Partial<Settlement> = {},
): Promise<void> {
  const change = await db
    .selectFrom('change')
    .select(['id', 'seq', 'identity_id as identityId'])
    .where('id', '=', changeId)
    .executeTakeFirstOrThrow();
  await settleAccounts(db, change, [{ ...appliedTo(label), ...outcome }]);
}

export const appliedTo = (label: string): Settlement => ({
  label,
  state: 'applied',
  reason: null,
  vendorCode: null,
  proof: 'login',
  inDoubt: false,
  nextTryInMs: null,
});

export const ended = endChange;
