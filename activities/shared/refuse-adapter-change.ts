import { adapterUse, hasMappingConflict } from '../../model/change/adapter-rules';
import type { LinkedAccount } from '../../model/change/plan';
import type { AccountFilter } from '../../model/configuration/account-filter';
import { type Adapter, inboundSync } from '../../model/configuration/adapter';
import { groupsOf, sourceNamed, sourcesOf } from '../../model/configuration/document';
import type { Source } from '../../model/configuration/group';
import type { ErrorCode } from '../../model/errors';
import { normalized } from '../../model/passwords/normalize';
import type { Secret } from '../../model/passwords/secret';
import { guardOf } from '../../store/worker/login-guard';
import type { Origin } from '../../store/worker/outcomes';
import type { Dependencies } from '../dependencies';
import { filterInChange, withFiltered } from './filter-passwords';
import type { LoadedChange } from './load-change';
import { withStoredCredentials } from './stored-credentials';

/**
 * Why the rules of adapters refuse a change before anything is written (reference semantics §6, rules 6, 15 and 25). The
 * right of the adapter and the mapping of the account are checked again, because either may have been switched off since
 * the capture was accepted.
 * @returns null when nothing keeps the change from being carried out
 */
export async function refusalOfAdapters(
  deps: Dependencies,
  loaded: LoadedChange,
): Promise<ErrorCode | null> {
  const { configuration } = loaded;
  const { accounts, groups: names, origin, partial } = loaded.change;
  const sources = sourcesOf(configuration);
  const adapter = sourceNamed(configuration, origin?.source ?? '')?.adapter;
  const sync = adapter && inboundSync(adapter, configuration.sso.switches);
  if (sync === null || (sync === 'partial' && !partial)) return 'sync_not_allowed';
  if (sync !== undefined && !isOriginInUse(sources, accounts, origin)) return 'mapping_not_in_use';
  const groups = groupsOf(configuration).filter(({ name }) => names.includes(name));
  const input = { groups, sources, accounts };
  if (!partial && hasMappingConflict({ ...input, originAccountId: origin?.id ?? null }))
    return 'mapping_conflict';
  return adapter?.verifyOldPassword === true && origin !== null
    ? oldPasswordRefusal(deps, loaded, origin, adapter)
    : null;
}

/** Whether the account of a capture still takes part by a mapping. */
function isOriginInUse(
  sources: readonly Source[],
  accounts: readonly LinkedAccount[],
  origin: Pick<Origin, 'id' | 'source'> | null,
): boolean {
  const adapter = sources.find(({ name }) => name === origin?.source)?.adapter;
  const account = accounts.find(({ id }) => id === origin?.id);
  return adapter === undefined || adapterUse(adapter, account ?? {}) === 'in_use';
}

/** A credential is the password as it was typed in the account, or as Lockstep wrote it. */
async function isAmongStored(
  typed: Secret,
  filter: AccountFilter,
  stored: readonly Secret[],
): Promise<boolean> {
  const written = normalized(typed);
  const matches = (password: Secret) =>
    withFiltered(
      filter,
      password,
      async (held) => held !== null && stored.some((one) => one.equals(held)),
    );
  try {
    return (await matches(typed)) || (await matches(written));
  } finally {
    written.destroy();
  }
}

/**
 * Compares the old password of a capture with the stored credential of its account. Wrong ones are limited like those of
 * a login, because every comparison shows whether a guess is right.
 */
const oldPasswordRefusal = (
  deps: Dependencies,
  { change, configuration, withPasswords }: LoadedChange,
  origin: { readonly id: string; readonly source: string },
  { applications }: Adapter,
): Promise<ErrorCode | null> =>
  withStoredCredentials(deps, origin.id, applications, async (stored) => {
    if (stored.length === 0) return 'old_password_not_stored';
    return withPasswords(async (passwords) => {
      // Without its passwords the change expires.
      if (passwords === null) return null;
      if (passwords.current === null) return 'current_password_missing';
      const guard = guardOf(deps.db, origin.id);
      if (!(await guard.open())) return 'current_password_blocked';
      const filter = filterInChange(configuration, change, origin);
      const isStored = await isAmongStored(passwords.current, filter, stored);
      await guard.settle(isStored ? 'holds' : 'differs');
      return isStored ? null : 'wrong_old_password';
    });
  });
