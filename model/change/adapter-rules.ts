import type { Group, Source, SourceAdapter } from '../configuration/group';

/**
 * The rules of Enterprise SSO about the accounts of an adapter (reference semantics §1.2 and §6, rules 3, 5 and 6). An
 * account takes part by a mapping, which shows that the application and the directory belong to the same person.
 */

export interface MappingUse {
  readonly application: string;
  readonly enabled: boolean;
}

export interface MappedAccount {
  readonly id: string;
  readonly source: string;
  /** The mappings of the account; absent for none. */
  readonly mappings?: readonly MappingUse[];
}

export type AdapterUse = 'in_use' | 'not_mapped' | 'mapping_disabled' | 'application_disabled';

/** Whether the adapter serves an account: one mapping in use is enough. */
export function adapterUse(
  { applications }: Pick<SourceAdapter, 'applications'>,
  { mappings = [] }: Pick<MappedAccount, 'mappings'>,
): AdapterUse {
  const served = mappings.flatMap(({ application, enabled }) => {
    const found = applications.find(({ name }) => name === application);
    return found === undefined ? [] : [{ enabled, applicationEnabled: found.enabled }];
  });
  if (served.length === 0) return 'not_mapped';
  if (served.some(({ enabled, applicationEnabled }) => enabled && applicationEnabled))
    return 'in_use';
  return served.some(({ enabled }) => enabled) ? 'application_disabled' : 'mapping_disabled';
}

/** Whether a change is written to the source of this adapter. */
export const isWritten = ({ enabled, syncToAdapter, switchedOn }: SourceAdapter): boolean =>
  enabled && syncToAdapter && switchedOn;

interface ConflictInput {
  readonly groups: readonly Group[];
  readonly sources: readonly Source[];
  readonly accounts: readonly MappedAccount[];
  /** The account in which the password was changed; null when a caller requested the change. */
  readonly originAccountId?: string | null;
}

/**
 * True when an adapter of the change has no clear counterpart: the person has two accounts there, or two accounts in the
 * directory, and the adapter does not allow that.
 */
export function hasMappingConflict({
  groups,
  sources,
  accounts,
  originAccountId = null,
}: ConflictInput): boolean {
  const directory = accounts.filter(({ source }) => source === groups[0]?.authSource);
  const covered = new Set(groups.flatMap((group) => group.sources));
  return sources.some(({ name, enabled, adapter }) => {
    if (adapter === undefined || adapter.allowMappingConflicts) return false;
    if (!enabled || !covered.has(name)) return false;
    const here = accounts.filter(
      (account) => account.source === name && adapterUse(adapter, account) === 'in_use',
    );
    const concerned = isWritten(adapter) || here.some(({ id }) => id === originAccountId);
    return concerned && here.length > 0 && (here.length > 1 || directory.length > 1);
  });
}
