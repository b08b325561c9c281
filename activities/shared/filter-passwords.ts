import { type AccountFilter, accountFilter } from '../../model/configuration/account-filter';
import type { Configuration } from '../../model/configuration/document';
import type { CodeOf } from '../../model/errors';
import type { Secret } from '../../model/passwords/secret';
import { rewrite } from '../../model/policy/password-filter';
import type { Passwords } from '../../sealing/passwords';
import type { ChangeAtWork } from '../../store/worker/outcomes';

/** The filter of an account in a change. An account that correlation has just found has no mapping. */
export const filterInChange = (
  configuration: Configuration,
  { accounts }: Pick<ChangeAtWork, 'accounts'>,
  account: { readonly id: string; readonly source: string },
): AccountFilter =>
  accountFilter(
    configuration,
    account.source,
    accounts.find(({ id }) => id === account.id)?.mappings,
  );

/**
 * Lends `use` the password as the filter of an account rewrites it, and destroys that rewritten password afterwards. The
 * rewritten one is written to the account, verified there and stored as the credential of its mappings.
 * @param filter undefined lends the password unchanged; so does a conflict, because no filter has been used then
 * @param use gets null when the filter leaves fewer characters than its `minLength`
 */
export async function withFiltered<T>(
  filter: AccountFilter,
  password: Secret,
  use: (filtered: Secret | null) => Promise<T>,
): Promise<T> {
  if (filter === undefined || filter === 'filter_conflict') return use(password);
  const filtered = rewrite(filter, password);
  try {
    return await use(filtered);
  } finally {
    filtered?.destroy();
  }
}

/**
 * Lends `use` the new and the current password of a change as the filter of an account rewrites them.
 * @param use gets an error code instead when the filter leaves nothing that the account could get
 */
export function withFilteredPasswords<T>(
  filter: AccountFilter,
  passwords: Passwords,
  use: (filtered: Passwords | FilterRefusal) => Promise<T>,
): Promise<T> {
  if (filter === 'filter_conflict') return use(filter);
  const { next, typed, current } = passwords;
  // A filter rewrites the characters of a password; the characters of a hash are not those.
  if (filter !== undefined && passwords.form !== 'plaintext') return use('encoding_not_supported');
  return withFiltered(filter, next, (filteredNext) => {
    if (filteredNext === null) return use('policy_too_short');
    return withFilteredOptional(filter, typed ?? null, (filteredTyped) =>
      withFilteredOptional(filter, current, (filteredCurrent) => {
        const rewritten = { ...passwords, next: filteredNext, current: filteredCurrent };
        return use(filteredTyped === null ? rewritten : { ...rewritten, typed: filteredTyped });
      }),
    );
  });
}

/** If the filter leaves nothing of a password, the source gets that password unfiltered and refuses it as wrong. */
const withFilteredOptional = <T>(
  filter: AccountFilter,
  password: Secret | null,
  use: (filtered: Secret | null) => Promise<T>,
): Promise<T> =>
  password === null
    ? use(null)
    : withFiltered(filter, password, (filtered) => use(filtered ?? password));

/** Why an account with a filter gets nothing of this change. */
export type FilterRefusal = Extract<
  CodeOf<'rejected'>,
  'policy_too_short' | 'encoding_not_supported' | 'filter_conflict'
>;
